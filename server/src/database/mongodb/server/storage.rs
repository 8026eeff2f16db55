//! Databases and collections by size. Sizes are asked one by one, as many as fit into a round, so that a round does not grow with what there is.

use std::{collections::VecDeque, time::Duration};

use futures_util::TryStreamExt;
use mongodb::{
    Client, Cursor, Database,
    bson::{Document, doc},
};
use tokio::time::Instant;
use watchboard_app::wire::{CollectionSize, Collections, DatabaseServer, DatabaseSize, Reading, Unknown};

use super::{MOST_MS, ask, is_due, number, text, told};

/// How often databases are asked for their sizes, and the collections' once all have been.
const DATABASES_EVERY: Duration = Duration::from_mins(5);
const COLLECTIONS_EVERY: Duration = Duration::from_mins(1);
/// A round asks for so many sizes at most, and for this long.
const MOST_A_ROUND: usize = 100;
const COLLECTIONS_WITHIN: Duration = Duration::from_millis(100);
/// One question of them may take so long: the last of a round begins in time and may end after it.
const ONE_WITHIN: Duration = Duration::from_millis(150);
/// Names that come at once.
const BATCH: u32 = 100;
/// Of databases and of collections, the largest are shown.
const SHOWN: usize = 50;

#[derive(Default)]
pub(super) struct Storage {
    databases_at: Option<Instant>,
    /// Databases that are still to be asked, and those that have been.
    names: VecDeque<String>,
    sizes: Vec<DatabaseSize>,
    /// Why one of them was not told.
    refused: Option<Unknown>,
    walk: Option<Walk>,
    walked_at: Option<Instant>,
}

/// A walk through the collections of a database, a few at a time.
struct Walk {
    names: Cursor<Document>,
    so_far: Collections,
}

impl Storage {
    pub(super) async fn read(&mut self, until: Instant, client: &Client, watched: bool, found: &mut DatabaseServer) {
        if self.names.is_empty() && is_due(self.databases_at, DATABASES_EVERY) {
            self.databases_at = Some(Instant::now());
            match names(until, client).await {
                Ok(names) => (self.names, self.sizes, self.refused) = (names, vec![], None),
                Err(unknown) => found.databases = told(Err(unknown)),
            }
        }
        if !self.names.is_empty() {
            self.ask_sizes(until, client).await;
            if self.names.is_empty() {
                self.sizes.sort_by_key(|size| std::cmp::Reverse(size.storage_bytes));
                self.sizes.truncate(SHOWN);
                let refused = self.refused.take().filter(|_| self.sizes.is_empty());
                found.databases = told(refused.map_or_else(|| Ok(self.sizes.clone()), Err));
            }
        }
        // A client whose connection string names no database asks many: none of them is the application's.
        if let (true, Some(database)) = (watched, client.default_database()) {
            self.walk(until.min(Instant::now() + COLLECTIONS_WITHIN), &database, found).await;
        }
    }

    async fn ask_sizes(&mut self, until: Instant, client: &Client) {
        while Instant::now() < until
            && let Some(name) = self.names.pop_front()
        {
            let database = client.database(&name);
            let answer = database.run_command(doc! { "dbStats": 1, "scale": 1, "maxTimeMS": MOST_MS });
            match ask(Instant::now() + ONE_WITHIN, "dbStats", answer).await {
                Ok(answer) => self.sizes.push(size(&name, &answer)),
                // A login may see the name of a database and not the rest.
                Err(unknown) => self.refused = Some(unknown),
            }
        }
    }

    async fn walk(&mut self, until: Instant, database: &Database, found: &mut DatabaseServer) {
        if self.walk.is_none() && !is_due(self.walked_at, COLLECTIONS_EVERY) {
            return;
        }
        match self.step(until, database).await {
            Ok(()) => {
                let Some(walk) = &self.walk else { return };
                let before = found.collections.as_ref().and_then(|told| told.reading.as_ref().ok());
                // Until a walk has come as far as the one before, that one knows more.
                if walk.so_far.is_all || before.is_none_or(|before| !before.is_all) {
                    found.collections = told(Ok(walk.so_far.clone()));
                }
                if walk.so_far.is_all {
                    (self.walk, self.walked_at) = (None, Some(Instant::now()));
                }
            }
            Err(unknown) => {
                found.collections = told(Err(unknown));
                (self.walk, self.walked_at) = (None, Some(Instant::now()));
            }
        }
    }

    async fn step(&mut self, until: Instant, database: &Database) -> Reading<()> {
        if self.walk.is_none() {
            let question = doc! { "listCollections": 1, "nameOnly": true, "authorizedCollections": true };
            let question = database.run_cursor_command(question).batch_size(BATCH);
            let names = ask(Instant::now() + ONE_WITHIN, "listCollections", question).await?;
            let so_far = Collections { database: database.name().to_owned(), ..Collections::default() };
            self.walk = Some(Walk { names, so_far });
        }
        let Some(walk) = &mut self.walk else { return Ok(()) };
        for _ in 0..MOST_A_ROUND {
            if Instant::now() >= until {
                return Ok(());
            }
            let next = ask(Instant::now() + ONE_WITHIN, "listCollections", walk.names.try_next()).await?;
            let Some(entry) = next else {
                walk.so_far.is_all = true;
                return Ok(());
            };
            if text(&entry, "type") != "collection" {
                continue;
            }
            let name = text(&entry, "name");
            let of_name = database.collection::<Document>(&name);
            let stats = of_name
                .aggregate([
                    doc! { "$collStats": { "storageStats": {} } },
                    doc! { "$project": { "storageStats": {
                        "count": 1, "size": 1, "storageSize": 1, "nindexes": 1, "totalIndexSize": 1,
                    } } },
                ])
                .max_time(ONE_WITHIN);
            let stats = async { stats.await?.try_next().await };
            if let Some(stats) = ask(Instant::now() + ONE_WITHIN, "collStats", stats).await? {
                walk.so_far.largest.push(collection(name, &stats));
                walk.so_far.largest.sort_by_key(|size| std::cmp::Reverse(size.storage_bytes + size.index_bytes));
                walk.so_far.largest.truncate(SHOWN);
            }
            walk.so_far.looked_at += 1;
        }
        Ok(())
    }
}

/// Those that the login may see.
async fn names(until: Instant, client: &Client) -> Reading<VecDeque<String>> {
    let question = doc! { "listDatabases": 1, "nameOnly": true, "authorizedDatabases": true };
    let answer = ask(until, "listDatabases", client.database("admin").run_command(question)).await?;
    let names = answer.get_array("databases").map(Vec::as_slice).unwrap_or_default().iter();
    Ok(names.filter_map(|database| Some(text(database.as_document()?, "name"))).collect())
}

fn size(name: &str, answer: &Document) -> DatabaseSize {
    let of = |field: &str| number(answer, &[field]).unwrap_or(0);
    DatabaseSize {
        name: name.to_owned(),
        collections: of("collections"),
        documents: of("objects"),
        data_bytes: of("dataSize"),
        storage_bytes: of("storageSize"),
        index_bytes: of("indexSize"),
    }
}

fn collection(name: String, stats: &Document) -> CollectionSize {
    let of = |field: &str| number(stats, &["storageStats", field]).unwrap_or(0);
    CollectionSize {
        name,
        documents: of("count"),
        data_bytes: of("size"),
        storage_bytes: of("storageSize"),
        indexes: of("nindexes"),
        index_bytes: of("totalIndexSize"),
    }
}
