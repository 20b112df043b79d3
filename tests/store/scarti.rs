//! The chain of proof and retention: what went by its term is known for that, and nothing can be taken behind its back.

use varco::sigilli::Genere;
use varco::sigilli::catena::Che;
use varco::sigilli::verifica::Scartate;
use varco::store::spazio::Regola;
use varco::trace::Traccia;
use varco::trace::egov::Scambio;

use crate::atti::{istante, traccia};
use crate::banco::Banco;
use crate::sigilli::{at_the_door, check, examine, export, in_order, refused, seal, unguarded};
use crate::spazio::{ADESSO, purge};

macro_rules! stories {
    ($banco:path) => {
        $crate::tell! { scarti, $banco:
            what_retention_took_is_counted_and_the_chain_goes_on,
            what_somebody_took_beside_a_purge_is_found_and_named,
            a_purge_that_is_open_accounts_for_as_far_as_it_came,
            a_purge_that_was_made_up_hides_nothing,
            a_purge_that_was_changed_or_taken_away_is_found,
        }
    };
}

mod sqlite {
    stories!(crate::banco::Banco::sqlite);
}

mod postgres {
    stories!(crate::banco::Banco::postgres);
}

const PRIMO: &str = "2021-07-01T08:00:00Z";
const SECONDO: &str = "2021-07-02T08:00:00Z";
/// Of the second of July nothing is due.
const LIMITE: &str = "2021-07-02T08:00:00Z";

fn on(quando: &str, nome: &str) -> Traccia {
    Traccia {
        ricevuto_il: istante(quando),
        ..refused(nome)
    }
}

/// Two days of traces, one with its busta, and of refusals at the door; each sealed on its day.
async fn two_days(banco: &Banco) {
    for (giorno, quando) in [PRIMO, SECONDO].into_iter().enumerate() {
        let con_busta = Traccia {
            egov: Some(Box::new(Scambio {
                porta: "INPSSPCoopIT".to_owned(),
                certificato_sha256: "ab".repeat(32),
                ..Scambio::default()
            })),
            ..on(quando, &format!("busta{giorno}"))
        };
        let tracce = [
            on(quando, &format!("a{giorno}")),
            on(quando, &format!("b{giorno}")),
            con_busta,
        ];
        banco.store.write_tracce(&tracce).await.unwrap();
        let mut rifiuto = at_the_door("scaduto");
        rifiuto.istante = istante(quando);
        banco
            .store
            .write_porta(&[rifiuto.clone(), rifiuto])
            .await
            .unwrap();
        assert_eq!(seal(banco, quando).await.righe, 5);
    }
}

pub(crate) async fn what_retention_took_is_counted_and_the_chain_goes_on(banco: &Banco) {
    let store = banco.store.as_ref();
    two_days(banco).await;
    seal(banco, "2021-07-03T08:00:00Z").await;
    assert_eq!(purge(&banco.store, Regola::Tracce, LIMITE).await.righe, 3);
    assert_eq!(purge(&banco.store, Regola::Porta, LIMITE).await.righe, 2);
    let attesa = |esaminata: &varco::store::sigilli::Esaminata| {
        let regole: Vec<_> = esaminata.scartate.clone().into_iter().collect();
        assert_eq!(regole, [("PORTA".to_owned(), 2), ("TRACCE".to_owned(), 3)]);
        esaminata.pulizie_in_attesa
    };
    // The gateway writes and seals on; the purges are sealed with what comes then.
    banco.store.write_tracce(&[on(ADESSO, "dopo")]).await.unwrap();
    while seal(banco, ADESSO).await.ancora {}
    let esaminata = in_order(store).await;
    assert_eq!(attesa(&esaminata), 0);
    assert_eq!(esaminata.righe, 13);

    let file = export(store, "2021-07-01").await;
    let esito = check(&file).unwrap();
    assert_eq!(esito.quanto.righe, 5);
    assert_eq!(
        esito.scartate,
        [
            Scartate {
                pulizia: "PORTA/2".to_owned(),
                righe: 2,
                blocco: Some(3),
            },
            Scartate {
                pulizia: "TRACCE/1".to_owned(),
                righe: 3,
                blocco: Some(3),
            }
        ]
    );
    assert_eq!(check(&export(store, "2021-07-02").await).unwrap().scartate, []);
    // A purge of another day, or of fewer rows, accounts for none of them.
    for (da, a) in [
        ("arrivata_a=16:1625176800000000", "arrivata_a=16:1625090400000001"),
        ("righe=1:3", "righe=1:2"),
        ("regola=6:TRACCE", "regola=5:PORTA"),
    ] {
        assert!(file.contains(da), "{file}");
        check(&file.replace(da, a)).unwrap_err();
    }
}

pub(crate) async fn what_somebody_took_beside_a_purge_is_found_and_named(banco: &Banco) {
    let store = banco.store.as_ref();
    two_days(banco).await;
    purge(&banco.store, Regola::Tracce, LIMITE).await;
    purge(&banco.store, Regola::Porta, LIMITE).await;
    banco.store.write_tracce(&[on(ADESSO, "dopo")]).await.unwrap();
    while seal(banco, ADESSO).await.ancora {}
    in_order(store).await;
    let rubata = traccia("b1").message_id.to_string();
    let mut raw = unguarded(banco).await;
    raw.execute(&format!("DELETE FROM tracce WHERE message_id = '{rubata}'"))
        .await
        .unwrap();
    let anomalia = examine(store).await.unwrap_err();
    assert_eq!(
        (anomalia.blocco, anomalia.riga.clone(), anomalia.che.clone()),
        (Some(2), Some((Genere::Traccia, rubata.clone())), Che::Rimossa)
    );
    let anomalia = check(&export(store, "2021-07-02").await).unwrap_err();
    assert_eq!(
        (anomalia.riga, anomalia.che),
        (Some((Genere::Traccia, rubata)), Che::Rimossa)
    );
}

pub(crate) async fn a_purge_that_is_open_accounts_for_as_far_as_it_came(banco: &Banco) {
    let (store, adesso) = (banco.store.as_ref(), istante(ADESSO));
    let ore: Vec<String> = (1..=6).map(|n| format!("2021-07-01T08:00:0{n}Z")).collect();
    let tracce: Vec<_> = ore.iter().map(|ora| on(ora, ora)).collect();
    store.write_tracce(&tracce).await.unwrap();
    seal(banco, PRIMO).await;
    store.write_tracce(&[on(ADESSO, "dopo")]).await.unwrap();
    seal(banco, "2022-07-01T08:00:00Z").await;
    store
        .begin_pulizia(Regola::Tracce, istante(LIMITE), adesso)
        .await
        .unwrap()
        .unwrap();
    store
        .step_pulizia(Regola::Tracce, 2, adesso, adesso)
        .await
        .unwrap()
        .unwrap();
    let scartate = in_order(store).await.scartate;
    assert_eq!(scartate.get("TRACCE"), Some(&2));
    check(&export(store, "2021-07-01").await).unwrap();
    // What it did not come to yet is there, or was taken by somebody else.
    let mut raw = unguarded(banco).await;
    let rubata = traccia(&ore[4]).message_id.to_string();
    raw.execute(&format!("DELETE FROM tracce WHERE message_id = '{rubata}'"))
        .await
        .unwrap();
    let anomalia = examine(store).await.unwrap_err();
    assert_eq!(
        (anomalia.riga, anomalia.che),
        (Some((Genere::Traccia, rubata)), Che::Rimossa)
    );
    // Gone with its day, it is still one more than the purge took.
    while !store
        .step_pulizia(Regola::Tracce, 2, adesso, adesso)
        .await
        .unwrap()
        .unwrap()
        .finita
    {}
    while seal(banco, ADESSO).await.ancora {}
    let anomalia = examine(store).await.unwrap_err();
    assert_eq!(
        (anomalia.riga, anomalia.che),
        (
            Some((Genere::Pulizia, "TRACCE/1".to_owned())),
            Che::Scarto("mancano più righe di quante la pulizia ne scartò")
        )
    );
}

/// Who owns the database takes one row, and writes a purge that would have taken it.
pub(crate) async fn a_purge_that_was_made_up_hides_nothing(banco: &Banco) {
    let store = banco.store.as_ref();
    two_days(banco).await;
    store.write_tracce(&[on(ADESSO, "dopo")]).await.unwrap();
    let mut raw = unguarded(banco).await;
    let rubata = traccia("b0").message_id.to_string();
    raw.execute(&format!("DELETE FROM tracce WHERE message_id = '{rubata}'"))
        .await
        .unwrap();
    assert_eq!(examine(store).await.unwrap_err().che, Che::Rimossa);
    let quando = |testo: &str| {
        let ms = istante(testo).as_millisecond();
        banco.says(ms.to_string(), format!("'{testo}'"))
    };
    let write = |da: &str, fino_a: &str, posto: &str| {
        format!(
            "DELETE FROM pulizie;
             INSERT INTO pulizie (id, regola, da, fino_a, iniziata_il, conclusa_il, arrivata_a, righe, posto)
             VALUES (1, 'TRACCE', {0}, {1}, {2}, {2}, {1}, 9, {posto})",
            quando(da),
            quando(fino_a),
            quando("2022-08-01T08:00:00Z")
        )
    };
    let (da, fino_a) = ("2021-06-30T22:00:00Z", "2021-07-01T22:00:00Z");
    // Its day, of which the others are still there; a piece of a day; one that nobody would ever seal.
    raw.execute(&write(da, fino_a, "1")).await.unwrap();
    assert_eq!(examine(store).await.unwrap_err().che, Che::NonScartata);
    raw.execute(&write(da, fino_a, "NULL")).await.unwrap();
    assert_eq!(examine(store).await.unwrap_err().che, Che::NonScartata);
    raw.execute("DELETE FROM tracce WHERE message_id IN (SELECT message_id FROM egov)")
        .await
        .unwrap();
    raw.execute(&format!(
        "DELETE FROM tracce WHERE message_id = '{}'",
        traccia("a0").message_id
    ))
    .await
    .unwrap();
    raw.execute(&format!(
        "DELETE FROM tracce WHERE message_id IN ('{}', '{}')",
        traccia("a1").message_id,
        traccia("b1").message_id
    ))
    .await
    .unwrap();
    raw.execute(&write(da, fino_a, "NULL")).await.unwrap();
    assert_eq!(
        examine(store).await.unwrap_err().che,
        Che::Rimossa,
        "the second day"
    );
    // Of both days, before their time: the chain knows when it was sealed.
    raw.execute(&write(da, "2021-07-02T22:00:00Z", "1"))
        .await
        .unwrap();
    seal(banco, "2021-07-02T09:00:00Z").await;
    let anomalia = examine(store).await.unwrap_err();
    assert!(
        matches!(anomalia.che, Che::Rimossa | Che::Scarto(_)),
        "{anomalia}"
    );
}

pub(crate) async fn a_purge_that_was_changed_or_taken_away_is_found(banco: &Banco) {
    let store = banco.store.as_ref();
    two_days(banco).await;
    purge(&banco.store, Regola::Tracce, LIMITE).await;
    store.write_tracce(&[on(ADESSO, "dopo")]).await.unwrap();
    while seal(banco, ADESSO).await.ancora {}
    in_order(store).await;
    let mut raw = unguarded(banco).await;
    let pulizia = Some((Genere::Pulizia, "TRACCE/1".to_owned()));
    raw.execute("UPDATE pulizie SET righe = 4").await.unwrap();
    let anomalia = examine(store).await.unwrap_err();
    assert_eq!((anomalia.riga, anomalia.che), (pulizia.clone(), Che::Alterata));
    raw.execute("UPDATE pulizie SET righe = 3").await.unwrap();
    in_order(store).await;
    // One that ended, and that nobody seals.
    raw.execute(
        "INSERT INTO pulizie (id, regola, da, fino_a, iniziata_il, conclusa_il, righe)
         SELECT 7, regola, da, fino_a, iniziata_il, conclusa_il, 0 FROM pulizie",
    )
    .await
    .unwrap();
    let anomalia = examine(store).await.unwrap_err();
    assert_eq!(
        (anomalia.riga, anomalia.che),
        (Some((Genere::Pulizia, "TRACCE/7".to_owned())), Che::Inserita)
    );
    raw.execute("DELETE FROM pulizie").await.unwrap();
    assert_eq!(examine(store).await.unwrap_err().che, Che::Rimossa);
}
