//! Quotas: what several gateways of one store take of an ente's minute, slice by slice.

use jiff::ToSpan as _;
use varco::store::quote::Fetta;

use crate::atti::{LUGLIO, istante};
use crate::banco::Banco;

#[tokio::test]
async fn an_embedded_store_gives_the_minute_whole_to_the_gateway_that_is_alone_with_it() {
    let banco = Banco::sqlite().await.unwrap();
    let adesso = istante(LUGLIO);
    let fetta = banco
        .store
        .take_fetta(&"PAT01".parse().unwrap(), 600, adesso)
        .await;
    assert_eq!(
        fetta.unwrap(),
        Fetta {
            inizio_s: adesso.as_second(),
            prese: 600,
            mie: 600,
        }
    );
}

#[tokio::test]
async fn several_gateways_never_take_more_than_the_quota_together_and_hold_little_that_they_do_not_use() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    let altro = banco.another().await;
    let ente = "PAT01".parse().unwrap();
    let adesso = istante(LUGLIO);
    let mut prese = Vec::new();
    loop {
        // The clock of the other is half a second behind, which is the same minute.
        let una = banco.store.take_fetta(&ente, 600, adesso).await.unwrap();
        let altra = altro
            .take_fetta(&ente, 600, adesso - 500.milliseconds())
            .await
            .unwrap();
        assert_eq!(
            (una.inizio_s, altra.inizio_s),
            (adesso.as_second(), adesso.as_second())
        );
        prese.extend([una.mie, altra.mie]);
        if altra.mie == 0 {
            break;
        }
    }
    assert_eq!(prese.iter().sum::<u64>(), 600);
    assert_eq!(prese[..4], [30, 30, 30, 30], "a twentieth while there is much");
    assert_eq!(
        prese[prese.len() - 6..],
        [1, 1, 1, 1, 0, 0],
        "and one while there is little"
    );
    // Another ente has its own; a quota of one is one; the next minute begins from none.
    let sua = altro
        .take_fetta(&"PAT02".parse().unwrap(), 1, adesso)
        .await
        .unwrap();
    assert_eq!((sua.prese, sua.mie), (1, 1));
    let sua = altro
        .take_fetta(&"PAT02".parse().unwrap(), 1, adesso)
        .await
        .unwrap();
    assert_eq!((sua.prese, sua.mie), (1, 0));
    let dopo = adesso + 60.seconds();
    let fetta = banco.store.take_fetta(&ente, 600, dopo).await.unwrap();
    assert_eq!(
        fetta,
        Fetta {
            inizio_s: dopo.as_second(),
            prese: 30,
            mie: 30,
        }
    );
    // A quota that was lowered meanwhile is used up.
    let minore = altro.take_fetta(&ente, 20, dopo).await.unwrap();
    assert_eq!((minore.prese, minore.mie), (30, 0));
    altro.close().await;
}

#[tokio::test]
async fn a_slice_waits_for_no_disk_and_is_not_sent_to_a_standby() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    let mut raw = banco.raw().await;
    let unlogged = raw
        .number("SELECT count(*) AS n FROM pg_class WHERE relname = 'quote' AND relpersistence = 'u'")
        .await;
    assert_eq!(unlogged, 1);
}
