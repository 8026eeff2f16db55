//! Databases and collections by their size.

use leptos::prelude::*;
use watchboard_wire::{CollectionSize, DatabaseSize, Reading};

use super::reading::server_reading;
use crate::{
    components::{Cell, Column, Table, TableRow, numbers, words},
    figures::Figures,
    live::figures_memo,
    pages::cells::count_cell,
};

const DATABASES: &[Column] = &[
    words("Database"),
    numbers("On disk", "what its collections take"),
    numbers("Indexes", "what they take on disk"),
    numbers("Data", "the documents' size, before compression"),
    numbers("Documents", ""),
    numbers("Collections", ""),
];

#[component]
pub(super) fn DatabaseTable() -> impl IntoView {
    let rows = figures_memo(|figures| {
        let row = |size: &DatabaseSize| {
            let bytes = [size.storage_bytes, size.index_bytes, size.data_bytes];
            sizes(&size.name, bytes, size.documents, size.collections)
        };
        Ok(server_reading(figures, |server| server.databases.as_ref())?.largest.iter().map(row).collect())
    });
    let foot = figures_memo(|figures| match server_reading(figures, |server| server.databases.as_ref()) {
        Ok(databases) if databases.omitted > 0 => {
            format!("{} more are not told: smaller, slow to answer, or not for this login to ask.", databases.omitted)
        }
        _ => String::new(),
    });
    view! {
        <Table caption="Databases" columns=DATABASES rows />
        <p class="more">{foot}</p>
    }
}

const COLLECTIONS: &[Column] = &[
    words("Collection"),
    numbers("On disk", "what it takes"),
    numbers("Indexes", "what they take on disk: more than the data is worth a look"),
    numbers("Data", "the documents' size, before compression"),
    numbers("Documents", ""),
    numbers("Number of indexes", "each write has to keep them all"),
];

/// The collections of the application's database.
#[component]
pub(super) fn CollectionTable() -> impl IntoView {
    let collections = |figures: &Figures| -> Reading<_> {
        Ok(server_reading(figures, |server| server.collections.as_ref())?.clone())
    };
    let rows = figures_memo(move |figures| {
        let row = |size: &CollectionSize| {
            let bytes = [size.storage_bytes, size.index_bytes, size.data_bytes];
            sizes(&size.name, bytes, size.documents, size.indexes)
        };
        Ok(collections(figures)?.largest.iter().map(row).collect())
    });
    let foot = figures_memo(move |figures| match collections(figures) {
        Err(_) => String::new(),
        Ok(all) if all.is_all && all.looked_at == 0 => format!("{} has no collections.", all.database),
        Ok(all) if all.is_all && all.omitted > 0 => {
            format!("The largest of {} in {}, {} of which did not tell.", all.looked_at, all.database, all.omitted)
        }
        Ok(all) if all.is_all => format!("The largest of {} in {}.", all.looked_at, all.database),
        Ok(all) => format!("The largest of the first {} in {}; more are being asked.", all.looked_at, all.database),
    });
    view! {
        <Table caption="Collections" columns=COLLECTIONS rows />
        <p class="more">{foot}</p>
    }
}

fn sizes(name: &str, bytes: [u64; 3], documents: u64, parts: u64) -> TableRow {
    let bytes = bytes.into_iter().map(Cell::bytes);
    [Cell::words(name)].into_iter().chain(bytes).chain([count_cell(documents), count_cell(parts)]).collect()
}
