//! Orders of maintenance: the newest is in force, all of them stay, and who may give one.

use varco::store::manutenzione::{Cartello, Disposizione};
use varco::store::{self, OpenOptions, StoreUrl};

use crate::atti::{LUGLIO, istante, options};
use crate::banco::Banco;

macro_rules! stories {
    ($banco:path) => {
        $crate::tell! { manutenzione, $banco:
            the_newest_order_is_in_force_and_the_old_ones_stay,
            an_order_that_makes_no_sense_is_not_kept,
        }
    };
}

mod sqlite {
    stories!(crate::banco::Banco::sqlite);
}

mod postgres {
    stories!(crate::banco::Banco::postgres);
}

fn order(messaggio: Option<&str>, fino_a: Option<&str>) -> Disposizione {
    Disposizione {
        istante: istante(LUGLIO),
        operatore: "m.verdi".to_owned(),
        cartello: messaggio.map(|messaggio| Cartello {
            messaggio: messaggio.to_owned(),
            fino_a: fino_a.map(istante),
        }),
    }
}

pub(crate) async fn the_newest_order_is_in_force_and_the_old_ones_stay(banco: &Banco) {
    assert_eq!(banco.store.disposizione().await.unwrap(), None);
    let ordini = [
        order(Some("si torna alle 22"), Some("2999-07-15T20:00:00Z")),
        order(Some("si torna domani"), None),
        order(None, None),
    ];
    for ordine in &ordini {
        banco.store.dispose(ordine).await.unwrap();
        assert_eq!(banco.store.disposizione().await.unwrap().as_ref(), Some(ordine));
    }
    let mut raw = banco.raw().await;
    for sql in [
        "UPDATE manutenzioni SET operatore = 'altro'",
        "DELETE FROM manutenzioni",
    ] {
        let detto = raw.refused(sql).await;
        assert!(detto.contains("manutenzioni: si aggiunge soltanto"), "{detto}");
    }
    assert_eq!(raw.number("SELECT count(*) AS n FROM manutenzioni").await, 3);
}

pub(crate) async fn an_order_that_makes_no_sense_is_not_kept(banco: &Banco) {
    for insensato in [
        order(Some(""), None),
        order(Some(&"x".repeat(301)), None),
        order(Some("finita prima di cominciare"), Some(LUGLIO)),
    ] {
        banco.store.dispose(&insensato).await.unwrap_err();
    }
    assert_eq!(banco.store.disposizione().await.unwrap(), None);
}

#[tokio::test]
async fn the_gateways_own_user_may_order_it_and_who_looks_over_may_look() {
    let Some(banco) = Banco::postgres().await else {
        return;
    };
    let url = StoreUrl::Postgres(banco.url_as("varco_gateway"));
    let senza = OpenOptions {
        migrate: false,
        ..options()
    };
    let (store, _) = store::open(&url, &senza).await.unwrap();
    let ordine = order(Some("x"), None);
    store.dispose(&ordine).await.unwrap();
    assert_eq!(store.disposizione().await.unwrap(), Some(ordine));
    store.close().await;
    let mut revisore = banco.raw_as("varco_audit").await;
    assert_eq!(revisore.number("SELECT count(*) AS n FROM manutenzioni").await, 1);
    let detto = revisore
        .refused("INSERT INTO manutenzioni (istante, operatore) VALUES (now(), 'x')")
        .await;
    assert!(detto.contains("permission denied"), "{detto}");
}
