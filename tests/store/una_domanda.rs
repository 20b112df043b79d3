//! AU-7: of one parent one domanda lives at a time, whoever presents it, at whatever gateway.

use std::collections::BTreeSet;

use varco::domanda::{Avente, CodiceFiscale, DomandaViva, SchedaViva};
use varco::prestazione::assegno_unico::PRESTAZIONE;
use varco::protocollo::NumeroDomanda;
use varco::store::{Atto, Registrazione};

use crate::atti::{LUGLIO, atto, fascicolo, istante, minore, registrata, rinuncia};
use crate::banco::Banco;
use crate::story::per_se;

const MARIO: &str = "RSSMRA80A01H501U";
const LUIGI: &str = "VRDLGU82B52F205E";

fn avente(chi: &str) -> Avente {
    Avente {
        codice_fiscale: chi.parse().unwrap(),
        qualita: &["GENITORE", "TUTORE_GENITORE"],
    }
}

/// A domanda of assegno unico of a parent, by an ente.
fn domanda(nome: &str, ente: &str, chi: &str, minori: &[u64]) -> Atto {
    let mut atto = atto(nome, 1, minori);
    atto.chiave.ente = ente.parse().unwrap();
    atto.chiave.servizio = PRESTAZIONE.servizio;
    atto.prestazione = &PRESTAZIONE;
    let fascicolo = fascicolo(&mut atto);
    fascicolo.richiedente.codice_fiscale = chi.parse().unwrap();
    fascicolo.avente = Some(avente(chi));
    atto
}

fn viva(numero: u64, ente: &str) -> DomandaViva {
    DomandaViva {
        numero: NumeroDomanda(numero),
        ente: ente.parse().unwrap(),
    }
}

fn scheda(n: u64) -> SchedaViva {
    SchedaViva {
        codice_fiscale: minore(n),
        stato: "PRESENTATA".to_owned(),
        subentrata: false,
    }
}

pub(crate) async fn a_parent_with_a_live_domanda_has_no_second_one_whoever_presents_it(banco: &Banco) {
    registrata(&banco.one(domanda("a", "PAT01", MARIO, &[1]), LUGLIO).await);
    let altrui = domanda("b", "PAT02", MARIO, &[2]);
    assert_eq!(
        banco.one(altrui, LUGLIO).await,
        Registrazione::DomandaViva(viva(1, "PAT01"), Vec::new())
    );
    // With the child who has a live sheet; of children who all have one the sheets are told, and that is all.
    assert_eq!(
        banco.one(domanda("c", "PAT01", MARIO, &[3, 1]), LUGLIO).await,
        Registrazione::DomandaViva(viva(1, "PAT01"), vec![(2, scheda(1))])
    );
    assert_eq!(
        banco.one(domanda("c", "PAT01", MARIO, &[1]), LUGLIO).await,
        Registrazione::SchedaViva(vec![(1, scheda(1))])
    );
    // The key is free, the children are, and the number was not drawn.
    let esito = banco.one(domanda("b", "PAT02", LUIGI, &[2, 3]), LUGLIO).await;
    assert_eq!(registrata(&esito).numero_domanda, NumeroDomanda(2));
    // The same person in a quality that is not counted, and for the other prestazione.
    let mut tutore = domanda("d", "PAT01", MARIO, &[4]);
    fascicolo(&mut tutore).avente = None;
    fascicolo(&mut tutore).presentata_da = "TUTORE";
    registrata(&banco.one(tutore, LUGLIO).await);
    registrata(&banco.one(atto("e", 5, &[5]), LUGLIO).await);
    for (chi, attese) in [
        (MARIO, vec![viva(1, "PAT01")]),
        (LUIGI, vec![viva(2, "PAT02")]),
        ("BNCNNA10T45H501Y", Vec::new()),
    ] {
        let servizio = PRESTAZIONE.servizio;
        let trovate = banco.store.domande_vive(servizio, &avente(chi)).await.unwrap();
        assert_eq!(trovate, attese, "{chi}");
    }
    banco.all_is_well(4).await;
}

pub(crate) async fn the_tutor_of_two_parents_asks_for_each_and_neither_asks_twice(banco: &Banco) {
    let per = |nome: &str, tutelato: &str, n: u64| {
        let mut atto = domanda(nome, "PAT01", tutelato, &[n]);
        let fascicolo = fascicolo(&mut atto);
        fascicolo.richiedente.codice_fiscale = "BNCNNA10T45H501Y".parse().unwrap();
        fascicolo.presentata_da = "TUTORE_GENITORE";
        fascicolo.genitore_tutelato = Some(tutelato.parse::<CodiceFiscale>().unwrap());
        atto
    };
    registrata(&banco.one(per("a", MARIO, 1), LUGLIO).await);
    registrata(&banco.one(per("b", LUIGI, 2), LUGLIO).await);
    for seconda in [per("c", LUIGI, 3), domanda("d", "PAT01", LUIGI, &[3])] {
        assert_eq!(
            banco.one(seconda, LUGLIO).await,
            Registrazione::DomandaViva(viva(2, "PAT01"), Vec::new())
        );
    }
}

pub(crate) async fn a_domanda_with_no_live_sheet_stands_in_nobodys_way(banco: &Banco) {
    let mut motore = banco.raw().await;
    let fini: [&[&str]; 5] = [
        &["IN_ISTRUTTORIA", "RESPINTA"],
        &["IN_ISTRUTTORIA", "ACCOLTA", "DECADUTA"],
        &["IN_ISTRUTTORIA", "ACCOLTA", "REVOCATA"],
        &["RINUNCIATA"],
        &["ANNULLATA"],
    ];
    let mut numero = 0;
    for (giro, mosse) in (1..).zip(fini) {
        let nome = |volta| format!("{giro}-{volta}");
        let esito = banco
            .one(domanda(&nome(1), "PAT01", MARIO, &[giro, giro + 10]), LUGLIO)
            .await;
        numero += 1;
        assert_eq!(registrata(&esito).numero_domanda.0, numero, "{mosse:?}");
        // One sheet at a time: while the second one lives, so does the domanda.
        for posto in [1, 2] {
            let esito = banco.one(domanda(&nome(2), "PAT02", MARIO, &[99]), LUGLIO).await;
            assert_eq!(
                esito,
                Registrazione::DomandaViva(viva(numero, "PAT01"), Vec::new())
            );
            for stato in mosse {
                motore
                    .execute(&format!(
                        "UPDATE schede SET stato = '{stato}' WHERE numero_domanda = {numero} AND posto = {posto}"
                    ))
                    .await
                    .unwrap();
            }
        }
    }
    // Looked at again, the refused one lives beside the new one: each ente is told its own, and a third is refused.
    registrata(&banco.one(domanda("nuova", "PAT02", MARIO, &[99]), LUGLIO).await);
    motore
        .execute("UPDATE schede SET stato = 'IN_ISTRUTTORIA' WHERE numero_domanda = 1 AND posto = 1")
        .await
        .unwrap();
    for (ente, attesa) in [("PAT01", viva(1, "PAT01")), ("PAT02", viva(6, "PAT02"))] {
        assert_eq!(
            banco.one(domanda("terza", ente, MARIO, &[50]), LUGLIO).await,
            Registrazione::DomandaViva(attesa, Vec::new())
        );
    }
}

pub(crate) async fn of_a_parents_domande_in_one_batch_the_first_is_taken(banco: &Banco) {
    let esiti = banco
        .register(
            &[
                domanda("a", "PAT01", MARIO, &[1, 2]),
                domanda("b", "PAT02", MARIO, &[3]),
                domanda("c", "PAT03", LUIGI, &[3]),
                domanda("a", "PAT01", MARIO, &[1, 2]),
            ],
            LUGLIO,
        )
        .await;
    registrata(&esiti[0]);
    assert_eq!(esiti[1], Registrazione::DomandaViva(viva(1, "PAT01"), Vec::new()));
    assert_eq!(registrata(&esiti[2]).numero_domanda.0, 2);
    assert!(matches!(&esiti[3], Registrazione::Ripetuta(_)), "{:?}", esiti[3]);

    // Given up in the same batch, all of it or a part.
    let vista = crate::story::vista_di(banco, PRESTAZIONE.servizio, 1).await;
    let rinuncia = |nome, posti: &[u32]| {
        let mut atto = rinuncia(nome, 9, &vista, posti);
        atto.chiave.servizio = PRESTAZIONE.servizio;
        atto.prestazione = &PRESTAZIONE;
        atto
    };
    let esiti = banco
        .register(&[rinuncia("r", &[1]), domanda("d", "PAT02", MARIO, &[4])], LUGLIO)
        .await;
    registrata(&esiti[0]);
    assert_eq!(esiti[1], Registrazione::DomandaViva(viva(1, "PAT01"), Vec::new()));
    let vista = crate::story::vista_di(banco, PRESTAZIONE.servizio, 1).await;
    let mut resto = crate::atti::rinuncia("s", 9, &vista, &[2]);
    resto.chiave.servizio = PRESTAZIONE.servizio;
    resto.prestazione = &PRESTAZIONE;
    let esiti = banco
        .register(&[resto, domanda("d", "PAT02", MARIO, &[4])], LUGLIO)
        .await;
    registrata(&esiti[0]);
    assert_eq!(registrata(&esiti[1]).numero_domanda.0, 3);

    // The only child asks for itself: the parent's domanda has nothing live any more.
    let mut figlio = per_se(domanda("f", "PAT01", MARIO, &[4]));
    fascicolo(&mut figlio).avente = None;
    let esiti = banco
        .register(&[figlio, domanda("g", "PAT03", MARIO, &[5])], LUGLIO)
        .await;
    assert_eq!(registrata(&esiti[0]).numero_domanda.0, 4);
    assert_eq!(registrata(&esiti[1]).numero_domanda.0, 5);
    banco.all_is_well(7).await;
}

/// Fifty enti at two gateways, in batches that name parents and children in crossing orders.
pub(crate) async fn of_two_hundred_at_once_by_different_enti_one_is_taken(banco: &Banco) {
    // The embedded store is one gateway's.
    let altro = if banco.says(false, true) {
        banco.another().await
    } else {
        banco.store.clone()
    };
    let gateway = [banco.store.clone(), altro];
    let lotti = (0..50_u64).map(|n| {
        let store = gateway[usize::from(n % 2 == 1)].clone();
        tokio::spawn(async move {
            let ente = format!("PAT{n:02}");
            let mut atti = vec![
                domanda(&format!("m-{n}"), &ente, MARIO, &[1000 + n]),
                domanda(&format!("l-{n}"), &ente, LUIGI, &[2000 + n, 3000 - n]),
                domanda(&format!("m2-{n}"), &ente, MARIO, &[3000 + n, 1]),
                domanda(&format!("l2-{n}"), &ente, LUIGI, &[4000 + n, 1]),
            ];
            if n % 3 == 0 {
                atti.reverse();
            }
            store.register(&atti, istante(LUGLIO)).await.unwrap()
        })
    });
    let (mut prese, mut dette) = (BTreeSet::new(), BTreeSet::new());
    for lotto in lotti.collect::<Vec<_>>() {
        for esito in lotto.await.unwrap() {
            match esito {
                Registrazione::Registrata(nuova) => {
                    prese.insert(nuova.numero_domanda.0);
                }
                Registrazione::DomandaViva(viva, _) => {
                    dette.insert(viva.numero.0);
                }
                // Child 1, whom each parent's second one asks for.
                Registrazione::SchedaViva(vive) => assert_eq!(vive.len(), 1),
                altro => panic!("{altro:?}"),
            }
        }
    }
    assert_eq!(prese, BTreeSet::from([1, 2]), "one of each parent");
    assert_eq!(dette, prese);
    banco.all_is_well(2).await;
}
