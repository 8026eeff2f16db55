//! A file that stands alone: all views of a window or a span, one below the other, without scripts, and with nothing to load. It
//! is for the report of an incident.

use leptos::prelude::*;
use watchboard_wire::{DatabaseState, RefreshResponse, format};

use crate::{
    layout::ReportedView,
    page_request::PageRequest,
    selection::{Selection, View},
};

/// So many endpoints have a section of their own because they fail the most, and so many others because they take the most time.
const ENDPOINTS: usize = 8;

/// What is for a page that is live.
const NOT_LIVE: &str = ".scripted, .unscripted, .tools, .order, .readout, .part .more { display: none !important; } \
     .as-drawn { animation: none !important; } .part .scroll { max-height: none; } \
     .part a { color: inherit; text-decoration: none; } \
     .report h1 { padding-top: 16px; font-size: 20px; } \
     .report nav { flex-wrap: wrap; } .report nav a { color: var(--accent); text-transform: none; } .report nav a::first-letter { text-transform: uppercase; } \
     .part > h2 { margin-block: 32px 8px; font-size: 20px; } .part > h2::first-letter { text-transform: uppercase; }";

/// The queries of the views that a file has, in their order, from the query of the page and the figures of its requests view.
pub fn report_queries(query: &str, requests: &RefreshResponse) -> Vec<String> {
    let asked = Selection::from_query(query).to_view(View::Requests);
    let is_watched = requests.snapshot.database.state != DatabaseState::NotConfigured;
    let views = View::ALL.into_iter().filter(|view| *view != View::Database || is_watched);
    let views = views.map(|view| Selection { all: true, ..asked.to_view(view) });
    let mut endpoints: Vec<_> = requests.endpoints.iter().collect();
    endpoints.sort_by_key(|row| std::cmp::Reverse((row.server_errors, row.duration_sum_us)));
    let failing = endpoints.iter().take_while(|row| row.server_errors > 0).count().min(ENDPOINTS);
    endpoints[failing..].sort_by_key(|row| std::cmp::Reverse(row.duration_sum_us));
    endpoints.truncate(failing + ENDPOINTS);
    let names = endpoints.into_iter().filter_map(|row| Some(row.name.as_ref()?.text()));
    views.chain(names.map(|name| asked.to_endpoint(&name))).map(|selection| selection.href()).collect()
}

/// The file of these views. `style` is the style sheet of the page.
pub fn report(pages: Vec<PageRequest>, style: &str) -> String {
    let first = pages.first().and_then(|page| page.first.as_ref().ok());
    let (title, made) = first.map(|first| (title(first), made(first))).unwrap_or_default();
    let headings: Vec<String> = pages.iter().map(heading).collect();
    let link = |(at, heading): (usize, &String)| view! { <a href=format!("#part-{at}")>{heading.clone()}</a> };
    let links = headings.iter().enumerate().map(link).collect_view();
    let sections: String = pages.into_iter().zip(&headings).enumerate().map(section).collect();
    // Links lead to the board, which a reader of the file does not have.
    let sections = sections.replace(" href=\"?", " data-view=\"?");
    let style = [style, NOT_LIVE].concat();
    let document = view! {
        <html lang="en" translate="no">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
                <title>{title.clone()}</title>
                <style inner_html=style></style>
            </head>
            <body>
                <main class="report">
                    <h1>{title}</h1>
                    <p class="note">{made}</p>
                    <nav aria-label="Parts">{links}</nav>
                    <div inner_html=sections></div>
                </main>
            </body>
        </html>
    };
    ["<!DOCTYPE html>", &document.to_html()].concat()
}

/// What the file is of.
fn title(first: &RefreshResponse) -> String {
    let snapshot = &first.snapshot;
    let made = snapshot.taken_at_unix_ms / 1000;
    let (from, to) = first.span.unwrap_or((made.saturating_sub(first.totals.seconds), made));
    let [from, to] = [from, to].map(|second| format::date_time(second * 1000, "UTC"));
    format!("{}, {from} to {to}", snapshot.service)
}

/// When it was made, and what is of then.
fn made(first: &RefreshResponse) -> String {
    let snapshot = &first.snapshot;
    let at = format::date_time(snapshot.taken_at_unix_ms, "UTC");
    format!(
        "Made by Watchboard {} at {at}: the state, findings, and what is open or in flight, are of then.",
        snapshot.version
    )
}

fn heading(page: &PageRequest) -> String {
    let Selection { view, endpoint, .. } = Selection::from_query(&page.query);
    endpoint.unwrap_or_else(|| view.word().to_owned())
}

/// A view with its heading. Its context is its own.
fn section((at, (page, heading)): (usize, (PageRequest, &String))) -> String {
    let content = Owner::new().with(|| {
        provide_context(page.clone());
        match page.first {
            Ok(first) => view! { <ReportedView first /> }.into_any(),
            Err(unknown) => view! { <p class="unknown">{unknown.reason}</p> }.into_any(),
        }
        .to_html()
    });
    view! {
        <section class="part" id=format!("part-{at}")>
            <h2>{heading.clone()}</h2>
            <div inner_html=content></div>
        </section>
    }
    .to_html()
}
