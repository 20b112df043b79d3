//! The emergency register (art. 63): while it is open, no act draws a number.

use std::sync::Arc;

use varco::catalogo::Codice;
use varco::clock::HandClock;
use varco::registro::Provvedimento;
use varco::store::esame::esamina;
use varco::store::legale::{Apertura, EsitoApertura, RegistroLegale};
use varco::store::writer::{Writer, WriterConfig};
use varco::store::{Registrazione, StoreError};

use crate::atti::{LUGLIO, atto, istante, protocollo};
use crate::banco::Banco;
use crate::comando::{config_of, keeper, register, set_clock};
use crate::daily::{daily, valida};
use crate::tell;

tell! {
    while_it_is_open_new_acts_wait_and_the_registered_get_their_receipts,
    it_may_be_opened_before_the_first_number,
    nothing_slips_past_its_opening,
    an_interruption_stands,
    the_command_opens_lists_and_closes,
    beyond_a_day_it_is_authorised_week_by_week,
}

async fn apri(store: &dyn RegistroLegale, adesso: &str) -> EsitoApertura {
    let provvedimento = Provvedimento {
        numero: "7/2021".to_owned(),
        data: "2021-07-01".parse().unwrap(),
    };
    let apertura = Apertura {
        registro: "AUF",
        causa: "guasto alla sala dati",
        operatore: "m.verdi",
        provvedimento: &provvedimento,
    };
    store.apri_emergenza(&apertura, istante(adesso)).await.unwrap()
}

async fn while_it_is_open_new_acts_wait_and_the_registered_get_their_receipts(banco: &Banco) {
    let store = keeper(banco).await;
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    let alle = "2021-07-01T09:00:00Z";
    assert_eq!(apri(&*store, alle).await, EsitoApertura::Aperta(istante(alle)));
    assert_eq!(
        apri(&*store, "2021-07-01T09:30:00Z").await,
        EsitoApertura::GiaAperta(istante(alle))
    );

    let errore = banco
        .store
        .register(&[atto("b", 1, &[2])], istante("2021-07-01T10:00:00Z"))
        .await
        .unwrap_err();
    assert_eq!(
        errore.to_string(),
        "register AUF stands still: its emergency register is open"
    );
    assert_eq!(errore.codice(), Codice::Pro001);

    // In one batch with a new act, a repetition still gets its receipt.
    let clock = Arc::new(HandClock::at(istante("2021-07-01T10:00:00Z")));
    let writer = Writer::spawn(Arc::clone(&banco.store), clock, WriterConfig::default());
    let (ripetuto, nuovo) = tokio::join!(
        writer.register(atto("a", 1, &[1])),
        writer.register(atto("b", 1, &[2]))
    );
    assert!(matches!(ripetuto, Ok(Registrazione::Ripetuta(_))), "{ripetuto:?}");
    assert!(matches!(nuovo, Err(StoreError::Emergenza(_))), "{nuovo:?}");
    writer.close().await;

    let chiusa = store
        .chiudi_emergenza("AUF", "m.verdi", istante("2021-07-01T11:00:00Z"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(chiusa.chiusa_il, Some(istante("2021-07-01T11:00:00Z")));
    assert_eq!(
        store
            .chiudi_emergenza("AUF", "m.verdi", istante("2021-07-01T12:00:00Z"))
            .await
            .unwrap(),
        None
    );
    // What waited has left nothing: its key is free, and the numbers go on without a gap.
    let dopo = banco.one(atto("b", 1, &[2]), "2021-07-01T11:00:01Z").await;
    assert_eq!(protocollo(&dopo), "INPS-AUF-2021-000000000002");
    banco.all_is_well(2).await;
    // Another interruption may follow.
    assert!(matches!(
        apri(&*store, "2021-07-02T09:00:00Z").await,
        EsitoApertura::Aperta(_)
    ));
    assert_eq!(store.emergenze().await.unwrap().len(), 2);
}

async fn it_may_be_opened_before_the_first_number(banco: &Banco) {
    let store = keeper(banco).await;
    apri(&*store, LUGLIO).await;
    let errore = banco
        .store
        .register(&[atto("a", 1, &[1])], istante(LUGLIO))
        .await
        .unwrap_err();
    assert!(matches!(errore, StoreError::Emergenza(_)), "{errore}");
    banco.all_is_well(0).await;
    assert_eq!(
        esamina(&*store, &|_, _| {}).await.unwrap().anomalie,
        Vec::<String>::new()
    );
    store
        .chiudi_emergenza("AUF", "m.verdi", istante("2021-07-01T11:00:00Z"))
        .await
        .unwrap();
    let prima = banco.one(atto("a", 1, &[1]), "2021-07-01T11:00:01Z").await;
    assert_eq!(protocollo(&prima), "INPS-AUF-2021-000000000001");
    banco.all_is_well(1).await;
}

async fn nothing_slips_past_its_opening(banco: &Banco) {
    let store = keeper(banco).await;
    banco.one(atto("zero", 1, &[0]), LUGLIO).await;
    let invii: Vec<_> = (1..=4_u64)
        .map(|fila| {
            let store = Arc::clone(&banco.store);
            tokio::spawn(async move {
                let mut registrati = 0;
                for n in 0..200 {
                    let n = fila * 1000 + n;
                    match store
                        .register(&[atto(&format!("k{n}"), 1, &[n])], istante(LUGLIO))
                        .await
                    {
                        Ok(_) => registrati += 1,
                        Err(StoreError::Emergenza(_)) => return registrati,
                        Err(altro) => panic!("{altro}"),
                    }
                }
                registrati
            })
        })
        .collect();
    let mut raw = banco.raw().await;
    while raw.number("SELECT count(*) AS n FROM registrazioni").await < 20 {
        tokio::task::yield_now().await;
    }
    apri(&*store, LUGLIO).await;
    let alla_apertura = raw.number("SELECT count(*) AS n FROM registrazioni").await;
    let mut registrati = 1;
    for invio in invii {
        registrati += invio.await.unwrap();
    }
    assert!(alla_apertura < 801, "it was opened in the middle");
    assert_eq!(registrati, alla_apertura, "none after it");
    assert_eq!(
        raw.number("SELECT count(*) AS n FROM registrazioni").await,
        alla_apertura
    );
}

async fn an_interruption_stands(banco: &Banco) {
    let store = keeper(banco).await;
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    apri(&*store, "2021-07-01T09:00:00Z").await;
    let mut raw = banco.raw().await;
    for sql in [
        "UPDATE emergenze SET causa = 'altro'",
        "UPDATE emergenze SET chiusa_il = aperta_il, chiusa_da = 'x', causa = 'altro'",
        "DELETE FROM emergenze",
    ] {
        let errore = raw.refused(sql).await;
        assert!(errore.contains("(DPR 445/2000 art. 63)"), "{sql}: {errore}");
    }
    store
        .chiudi_emergenza("AUF", "m.verdi", istante("2021-07-01T11:00:00Z"))
        .await
        .unwrap();
    let errore = raw.refused("UPDATE emergenze SET chiusa_da = 'altro'").await;
    assert!(
        errore.contains("un'emergenza si chiude soltanto, e una volta"),
        "{errore}"
    );
}

async fn the_command_opens_lists_and_closes(banco: &Banco) {
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    set_clock(banco, "2021-07-03T10:00:00Z").await;
    let cartella = config_of(banco);
    let config = cartella.path().join("varco.toml");
    let open = |registro: &str| {
        register(
            &config,
            &[
                "emergency",
                "open",
                "--causa",
                "guasto alla sala dati",
                "--provvedimento",
                "7/2021",
                "--provvedimento-data",
                "2021-07-03",
                "--operatore",
                "m.verdi",
                "--registro",
                registro,
            ],
        )
    };
    let ignoto = open("ZZZ");
    assert_eq!(ignoto.codice, 64);
    assert!(
        ignoto.errori.contains("non è il registro di una prestazione"),
        "{}",
        ignoto.errori
    );
    let aperto = open("AUF");
    assert_eq!((aperto.codice, aperto.errori.as_str()), (0, ""));
    assert!(
        aperto
            .fuori
            .starts_with("registro AUF fermo dal 2021-07-03T12:00:")
            && aperto.fuori.ends_with(": registro di emergenza EMG-AUF aperto\n"),
        "{}",
        aperto.fuori
    );
    let ancora = open("AUF");
    assert_eq!(ancora.codice, 65);
    assert!(
        ancora
            .errori
            .starts_with("varco: EMG-AUF: il registro di emergenza è già aperto dal 2021-07-03T12:00:"),
        "{}",
        ancora.errori
    );
    let elenco = register(&config, &["emergency", "list"]);
    assert!(
        elenco.fuori.starts_with("EMG-AUF  dal 2021-07-03T12:00:")
            && elenco.fuori.ends_with(
                " APERTA  guasto alla sala dati  (provvedimento 7/2021 del 2021-07-03, m.verdi)\n"
            ),
        "{}",
        elenco.fuori
    );
    set_clock(banco, "2021-07-05T10:00:00Z").await;
    let chiuso = register(&config, &["emergency", "close", "--operatore", "m.verdi"]);
    assert!(
        chiuso
            .fuori
            .starts_with("registro AUF ripreso il 2021-07-05T12:00:"),
        "{}",
        chiuso.fuori
    );
    let elenco = register(&config, &["emergency", "list"]);
    assert!(
        elenco.fuori.contains("(chiusa da m.verdi)")
            && elenco
                .fuori
                .contains("  senza provvedimento dal 2021-07-04T12:00:"),
        "{}",
        elenco.fuori
    );
    let niente = register(&config, &["emergency", "close", "--operatore", "m.verdi"]);
    assert_eq!(
        (niente.codice, niente.errori.as_str()),
        (65, "varco: EMG-AUF: il registro di emergenza non è aperto\n")
    );
}

async fn beyond_a_day_it_is_authorised_week_by_week(banco: &Banco) {
    banco.one(atto("a", 1, &[1]), LUGLIO).await;
    set_clock(banco, "2021-07-03T12:00:00Z").await;
    let cartella = config_of(banco);
    let config = cartella.path().join("varco.toml");
    let extend = |fino: &str| {
        register(
            &config,
            &[
                "emergency",
                "extend",
                "--fino",
                fino,
                "--provvedimento",
                "8/2021",
                "--provvedimento-data",
                "2021-07-03",
                "--operatore",
                "m.verdi",
            ],
        )
    };
    let chiuso = extend("2021-07-06");
    assert_eq!(
        (chiuso.codice, chiuso.errori.as_str()),
        (65, "varco: EMG-AUF: il registro di emergenza non è aperto\n")
    );
    apri(&*keeper(banco).await, "2021-07-03T10:00:00Z").await;
    for (fino, perche) in [
        (
            "2021-07-04T10:00:00Z",
            "il periodo comincia il 2021-07-04T12:00:00.000+02:00, dove finisce quello già autorizzato, e deve finire dopo",
        ),
        (
            "2021-07-11T10:00:01Z",
            "il periodo comincia il 2021-07-04T12:00:00.000+02:00 e può durare una settimana: al più fino al 2021-07-11T12:00:00.000+02:00 (art. 63 c. 2)",
        ),
    ] {
        let negato = extend(fino);
        assert_eq!(
            (negato.codice, negato.errori),
            (65, format!("varco: EMG-AUF: {perche}\n"))
        );
    }
    for (fino, detto) in [
        (
            "2021-07-11T10:00:00Z",
            "dal 2021-07-04T12:00:00.000+02:00 al 2021-07-11T12:00:00.000+02:00",
        ),
        (
            "2021-07-12",
            "dal 2021-07-11T12:00:00.000+02:00 al 2021-07-12T00:00:00.000+02:00",
        ),
    ] {
        let concesso = extend(fino);
        assert_eq!(
            (concesso.codice, concesso.fuori),
            (0, format!("EMG-AUF: autorizzato {detto}\n")),
            "{}",
            concesso.errori
        );
    }
    let mut raw = banco.raw().await;
    for sql in ["UPDATE proroghe SET operatore = 'altro'", "DELETE FROM proroghe"] {
        let errore = raw.refused(sql).await;
        assert!(errore.contains("(DPR 445/2000 art. 63)"), "{sql}: {errore}");
    }

    // Each stands in the register of the day on which it was written down, and in the list.
    let giornaliero = daily(&*keeper(banco).await, "2021-07-03", "2021-07-04T05:00:00Z").await;
    valida(&giornaliero.documento);
    let documento = String::from_utf8(giornaliero.documento.clone()).unwrap();
    assert_eq!(
        documento.matches("<Proroga progressivo=").count(),
        2,
        "{documento}"
    );
    let elenco = || register(&config, &["emergency", "list"]).fuori;
    assert!(
        elenco().contains(
            "  prorogata dal 2021-07-04T12:00:00.000+02:00 al 2021-07-11T12:00:00.000+02:00  (provvedimento 8/2021 del 2021-07-03, m.verdi)\n"
        ),
        "{}",
        elenco()
    );
    set_clock(banco, "2021-07-11T21:00:00Z").await;
    assert!(!elenco().contains("senza provvedimento"), "{}", elenco());
    set_clock(banco, "2021-07-11T22:30:00Z").await;
    assert!(
        elenco().contains("  senza provvedimento dal 2021-07-12T00:00:00.000+02:00: "),
        "{}",
        elenco()
    );
}
