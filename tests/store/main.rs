//! The store, told as a story on both of its kinds: the name of a test says on which (`sqlite::…`, `postgres::…`). What
//! is promised of any store stands once, in `story.rs`; what only one kind can promise stands in `sqlite.rs` and
//! `postgres.rs`. The PostgreSQL is one of our own, made and thrown away by this binary (`cluster.rs` looks after that).
#![allow(missing_docs)]

mod atti;
mod banco;
mod cluster;
mod comandi;
mod copy;
mod egov;
mod egov_prima;
mod elenchi;
mod interessato;
mod lotti;
mod manomissioni;
mod manutenzione;
mod modifiche;
mod motore;
mod motore_processo;
mod nodi;
mod postgres;
#[path = "../comune/postgres.rs"]
mod postgres_comune;
mod quote;
mod ricerca;
mod scarti;
mod sigilli;
mod spazio;
mod sqlite;
mod story;
mod una_domanda;

/// A test of each of these stories, on a fresh bench of one kind; passes where there is none of it, and says so.
macro_rules! tell {
    ($modulo:ident, $banco:path: $($story:ident,)+) => {
        $(
            #[tokio::test]
            async fn $story() {
                if let Some(banco) = $banco().await {
                    $crate::$modulo::$story(&banco).await;
                }
            }
        )+
    };
}
use tell;
