//! Applications: each logs in with its Secret, writes rows for as long as it can, and remembers those that were acknowledged.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    time::Duration,
};

use anyhow::Result;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::time::{sleep, timeout};

use super::schedule::name;
use crate::scene::Scene;

/// The database that all manifests have: a Secret names another one first when one comes whose name sorts before it.
pub(crate) const DATABASE: &str = "orders";

/// Between two rows, and between two tries to get in.
const PAUSE: Duration = Duration::from_millis(100);

/// An application that waits longer than this for an answer closes the connection.
const LIMIT: Duration = Duration::from_secs(5);

/// The rows of each database that an application ever was in, by the mark that it left there.
pub(crate) type Ledger = BTreeMap<String, BTreeSet<i64>>;

/// The application of one object.
pub(crate) struct Client {
    object: usize,
    next: i64,
    pub(crate) acknowledged: Ledger,
}

impl Client {
    pub(crate) fn new(object: usize) -> Self {
        Self { object, next: 0, acknowledged: Ledger::new() }
    }

    pub(crate) fn object(&self) -> usize {
        self.object
    }

    /// Writes for ever, whatever happens.
    pub(crate) async fn write(&mut self, scene: &Scene<'_>) -> Infallible {
        loop {
            // What went wrong is for an application to try again, not to understand.
            let _ = self.session(scene).await;
            sleep(PAUSE).await;
        }
    }

    async fn session(&mut self, scene: &Scene<'_>) -> Result<Infallible> {
        let mut session = timeout(LIMIT, scene.connect_to(&name(self.object), "app", DATABASE)).await??;
        let mark = timeout(LIMIT, enter(&mut session)).await??;
        loop {
            self.next += 1;
            let row = sqlx::query("INSERT INTO ledger (n) VALUES ($1)").bind(self.next);
            timeout(LIMIT, row.execute(&mut session)).await??;
            self.acknowledged.entry(mark.clone()).or_default().insert(self.next);
            sleep(PAUSE).await;
        }
    }
}

/// Makes the table where there is none, and gives the mark that tells this database from any other.
async fn enter(session: &mut PgConnection) -> Result<String> {
    let mut change = session.begin().await?;
    change.execute("CREATE TABLE IF NOT EXISTS ledger (n bigint PRIMARY KEY)").await?;
    change.execute("CREATE TABLE IF NOT EXISTS mark (id text NOT NULL)").await?;
    let mark = format!("{:016x}", rand::random::<u64>());
    sqlx::query("INSERT INTO mark SELECT $1 WHERE NOT EXISTS (SELECT FROM mark)")
        .bind(mark)
        .execute(&mut *change)
        .await?;
    change.commit().await?;
    let (mark,): (String,) = sqlx::query_as("SELECT id FROM mark").fetch_one(session).await?;
    Ok(mark)
}

/// What a database holds: its mark and its rows. None where no application ever was.
pub(crate) async fn read(session: &mut PgConnection) -> Result<Option<(String, BTreeSet<i64>)>> {
    let there = "SELECT count(*) FROM pg_tables WHERE tablename IN ('ledger', 'mark')";
    let (tables,): (i64,) = sqlx::query_as(there).fetch_one(&mut *session).await?;
    if tables < 2 {
        return Ok(None);
    }
    let (mark,): (String,) = sqlx::query_as("SELECT id FROM mark").fetch_one(&mut *session).await?;
    let rows: Vec<(i64,)> = sqlx::query_as("SELECT n FROM ledger").fetch_all(session).await?;
    Ok(Some((mark, rows.into_iter().map(|(n,)| n).collect())))
}
