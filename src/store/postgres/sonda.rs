//! The probe behind readiness: whether a commit would be durable now. It has a connection of its own, writes what a
//! registration needs (room in a file, the log, the standbys' word) and leaves nothing.

use sqlx::postgres::PgConnection;

use super::PostgresStore;
use super::open::counters;
use super::row::guasto;
use crate::store::StoreError;

/// See [`crate::store::Store::probe`].
pub(super) async fn probe(store: &PostgresStore) -> Result<(), StoreError> {
    let mut posto = store.sonda.lock().await;
    // Out of its place while it is used: one that failed, or was not waited for, is gone.
    let mut connessione = match posto.take() {
        Some(connessione) => connessione,
        None => store.accesso.connect().await?,
    };
    store
        .within(async {
            store.accesso.nodi.look(&mut connessione).await?;
            store.accesso.check_schema(&mut connessione).await?;
            let detti = store.ancore.detti();
            detti.check(&counters(&mut connessione).await.map_err(guasto)?)?;
            // Some 300 KB that do not fit into memory so small, so that they need room on the disk of the database; a
            // gateway may make no table, not even a temporary one.
            execute(
                &mut connessione,
                "BEGIN; SET LOCAL work_mem = '64kB'; SELECT count(*) FROM generate_series(1, 10000); ROLLBACK",
            )
            .await?;
            confirm(&mut connessione).await
        })
        .await?;
    *posto = Some(connessione);
    store.settle_idle().await
}

/// Comes back when all that this database shows is as durable as a commit is: on the disk, and with the synchronous
/// standbys. A commit that waited for its standby when the server was stopped, or its session ended, is there afterwards
/// and perhaps nowhere else; the log has one order, so what is written behind it and confirmed confirms it too.
pub(super) async fn confirm(connessione: &mut PgConnection) -> Result<(), StoreError> {
    // Before anything is written: one that hangs in its turn, and is given up, and the next, would fill the server. As who
    // logged in: in another role it would be told nothing of our own sessions.
    execute(connessione, "BEGIN; SET LOCAL ROLE NONE").await?;
    let fermi: bool = sqlx::query_scalar(
        "SELECT EXISTS (
             SELECT 1
             FROM pg_stat_activity
             WHERE usename = session_user
                 AND wait_event = 'SyncRep'
                 AND state_change < clock_timestamp() - interval '2 seconds')",
    )
    .fetch_one(&mut *connessione)
    .await
    .map_err(guasto)?;
    execute(connessione, "ROLLBACK").await?;
    if fermi {
        return Err(StoreError::unavailable(
            "a commit waits for its synchronous standby (synchronous_standby_names)",
        ));
    }
    // A message that all pass over, and yet a commit of its own: the standbys are asked.
    execute(
        connessione,
        "BEGIN; SELECT pg_logical_emit_message(true, 'varco', ''); COMMIT",
    )
    .await
}

async fn execute(connessione: &mut PgConnection, sql: &'static str) -> Result<(), StoreError> {
    sqlx::raw_sql(sql).execute(connessione).await.map_err(guasto)?;
    Ok(())
}
