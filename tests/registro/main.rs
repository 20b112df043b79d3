//! The register as the law asks, told on both kinds of store: annulments, daily registers, what `register verify` finds,
//! the emergency register, the segnatura. The name of a test says on which store it ran.
#![allow(missing_docs)]

mod annul;
mod assegnazione;
#[path = "../store/atti.rs"]
#[expect(dead_code, reason = "shared with tests/store, which uses all of it")]
mod atti;
#[path = "../store/banco.rs"]
#[expect(dead_code, reason = "shared with tests/store, which uses all of it")]
mod banco;
mod comando;
mod conservati;
mod daily;
mod emergenza;
mod gateway;
#[path = "../gateway/helpers.rs"]
#[expect(dead_code, reason = "shared with tests/gateway, which uses all of it")]
mod helpers;
mod importazione;
#[path = "../comune/postgres.rs"]
mod postgres_comune;
mod prova;
mod recuperata;
mod recupero;
mod ritorno;
mod segnatura;
mod verify;

use postgres_comune as postgres;

/// A test of each of these stories on a fresh bench of each kind.
macro_rules! tell {
    ($($story:ident,)+) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $story() {
                    if let Some(banco) = $crate::banco::Banco::sqlite().await {
                        super::$story(&banco).await;
                    }
                }
            )+
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $story() {
                    if let Some(banco) = $crate::banco::Banco::postgres().await {
                        super::$story(&banco).await;
                    }
                }
            )+
        }
    };
}
use tell;
