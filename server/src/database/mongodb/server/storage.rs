//! Databases and collections by size. Each size is a query; a round asks as many as fit, so it does not grow with their number.

use std::{collections::VecDeque, time::Duration};

use futures_util::TryStreamExt;
use mongodb::{
    Client, Cursor, Database,
    bson::{Document, doc},
};
use tokio::time::Instant;
use watchboard_wire::{CollectionSize, Collections, DatabaseServer, DatabaseSize, Databases};

use super::{
    fields::{number, text},
    query::{MAX_TIME_MS, QueryError, QueryResult, Schedule, run_query},
};

/// The interval of the databases' sizes, with a viewer, and the pause between two walks through the collections.
const DATABASES_EVERY: Duration = Duration::from_mins(5);
const COLLECTIONS_EVERY: Duration = Duration::from_mins(1);
/// A round asks for so many sizes at most, and takes this long at most.
const MAX_A_ROUND: usize = 100;
const COLLECTIONS_WITHIN: Duration = Duration::from_millis(100);
/// The time limit of one query, and how much longer than the round the last one may take: giving up costs a new connection.
const ONE_WITHIN: Duration = Duration::from_millis(150);
const LATEST: Duration = Duration::from_millis(50);
/// If so many of the first collections in a row have no answer, the walk ends.
const MAX_OMITTED: u64 = 5;
/// Names in one reply.
const BATCH: u32 = 100;
/// The largest databases and collections are shown.
const SHOWN: usize = 50;

#[derive(Default)]
pub(super) struct Storage {
    databases: Schedule,
    /// Databases that are still to be asked, and the sizes so far.
    names: VecDeque<String>,
    sizes: Databases,
    /// The last error of a size.
    last_error: Option<QueryError>,
    walk: Option<Walk>,
    /// Since the end of the last walk.
    collections: Schedule,
}

/// A walk through the collections of a database, a few at a time.
struct Walk {
    names: Cursor<Document>,
    so_far: Collections,
}

impl Storage {
    pub(super) async fn read(&mut self, until: Instant, client: &Client, watched: bool, found: &mut DatabaseServer) {
        if !watched {
            // Without a viewer the walk ends: the server does not hold its cursor for ever.
            self.walk = None;
            return;
        }
        if self.names.is_empty() && self.databases.is_due(DATABASES_EVERY) {
            self.databases.begin();
            match names(until, client).await {
                Ok(names) => (self.names, self.sizes) = (names, Databases::default()),
                Err(error) => self.databases.note(&mut found.databases, Err(error)),
            }
        }
        if !self.names.is_empty() {
            self.ask_sizes(until, client).await;
            if self.names.is_empty() {
                self.sizes.largest.sort_by_key(|size| std::cmp::Reverse(size.storage_bytes));
                self.sizes.omitted += self.sizes.largest.len().saturating_sub(SHOWN) as u64;
                self.sizes.largest.truncate(SHOWN);
                let last_error = self.last_error.take().filter(|_| self.sizes.largest.is_empty());
                self.databases.note(&mut found.databases, last_error.map_or_else(|| Ok(self.sizes.clone()), Err));
            }
        }
        // Without a database in the connection string, no database is known to be the application's.
        if let Some(database) = client.default_database() {
            self.walk(until.min(Instant::now() + COLLECTIONS_WITHIN), &database, found).await;
        }
    }

    async fn ask_sizes(&mut self, until: Instant, client: &Client) {
        while Instant::now() < until
            && let Some(name) = self.names.pop_front()
        {
            let database = client.database(&name);
            let answer = database.run_command(doc! { "dbStats": 1, "scale": 1, "maxTimeMS": MAX_TIME_MS });
            match run_query(query_deadline(until), "dbStats", answer).await {
                Ok(answer) => self.sizes.largest.push(size(&name, &answer)),
                // A login may see the name of a database and nothing else. A large database may take too long.
                Err(error) => {
                    self.sizes.omitted += 1;
                    self.last_error = Some(error);
                }
            }
        }
    }

    async fn walk(&mut self, until: Instant, database: &Database, found: &mut DatabaseServer) {
        if Instant::now() >= until || self.walk.is_none() && !self.collections.is_due(COLLECTIONS_EVERY) {
            return;
        }
        let step = self.step(until, database).await;
        let walk = self.walk.as_ref().filter(|_| step.is_ok());
        let is_all = walk.is_none_or(|walk| walk.so_far.is_all);
        let so_far = walk.map(|walk| walk.so_far.clone()).unwrap_or_default();
        let before = found.collections.as_ref().and_then(|dated| dated.reading.as_ref().ok());
        // Until a walk has come as far as the last one, the last one knows more.
        if step.is_err() || so_far.is_all || before.is_none_or(|before| !before.is_all) {
            self.collections.note(&mut found.collections, step.map(|()| so_far));
        }
        if is_all {
            self.walk = None;
            self.collections.begin();
        }
    }

    async fn step(&mut self, until: Instant, database: &Database) -> QueryResult<()> {
        if self.walk.is_none() {
            let query = doc! { "listCollections": 1, "nameOnly": true, "authorizedCollections": true };
            let query = database.run_cursor_command(query).batch_size(BATCH);
            let names = run_query(query_deadline(until), "listCollections", query).await?;
            let so_far = Collections { database: database.name().to_owned(), ..Collections::default() };
            self.walk = Some(Walk { names, so_far });
        }
        let Some(walk) = &mut self.walk else { return Ok(()) };
        for _ in 0..MAX_A_ROUND {
            if Instant::now() >= until {
                return Ok(());
            }
            let next = run_query(query_deadline(until), "listCollections", walk.names.try_next()).await?;
            let Some(entry) = next else {
                walk.so_far.is_all = true;
                return Ok(());
            };
            if text(&entry, "type") != "collection" {
                continue;
            }
            walk.so_far.looked_at += 1;
            let name = text(&entry, "name");
            match statistics(until, database, &name).await {
                Ok(Some(stats)) => {
                    walk.so_far.largest.push(collection(name, &stats));
                    walk.so_far.largest.sort_by_key(|size| std::cmp::Reverse(size.storage_bytes + size.index_bytes));
                    walk.so_far.largest.truncate(SHOWN);
                }
                Err(error) if walk.so_far.largest.is_empty() && walk.so_far.omitted >= MAX_OMITTED => {
                    return Err(error);
                }
                // Dropped meanwhile, or too slow: the other collections are listed all the same.
                Ok(None) | Err(_) => walk.so_far.omitted += 1,
            }
        }
        Ok(())
    }
}

async fn statistics(until: Instant, database: &Database, name: &str) -> QueryResult<Option<Document>> {
    let collection = database.collection::<Document>(name);
    let query = collection
        .aggregate([
            doc! { "$collStats": { "storageStats": {} } },
            doc! { "$project": { "storageStats": {
                "count": 1, "size": 1, "storageSize": 1, "nindexes": 1, "totalIndexSize": 1,
            } } },
        ])
        .max_time(ONE_WITHIN);
    run_query(query_deadline(until), "collStats", async { query.await?.try_next().await }).await
}

/// The deadline of a query that begins before the round is over.
fn query_deadline(until: Instant) -> Instant {
    (until + LATEST).min(Instant::now() + ONE_WITHIN)
}

/// The databases that the login may see.
async fn names(until: Instant, client: &Client) -> QueryResult<VecDeque<String>> {
    let query = doc! { "listDatabases": 1, "nameOnly": true, "authorizedDatabases": true };
    let answer = run_query(until, "listDatabases", client.database("admin").run_command(query)).await?;
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
