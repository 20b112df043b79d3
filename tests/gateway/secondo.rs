//! The second parent: any patronato with that parent's mandate may speak for it, learns nothing by guessing, and sees its
//! own half from then on.

use std::thread;

use crate::atti::{Motore, one_number_of_copies_from};
use crate::helpers::{Archivio, Client, Gateway, Reply, Setting, on_both_stores};

on_both_stores! {
    two_hundred_copies_of_a_completion_get_one_number,
    who_guesses_gets_one_answer_and_soon_none,
    the_completing_ente_sees_its_sheet_and_nothing_else,
    a_completion_and_the_engine_at_once_never_both_have_the_sheet,
    what_was_asked_of_the_other_parent_is_answered,
    the_second_parent_changes_its_mind,
    what_the_second_parent_said_no_modification_changes,
    a_second_parent_who_is_another_takes_the_sheet_from_the_ente_of_the_first,
    what_was_paid_to_the_parent_before_is_not_told_to_the_next,
}

const DOMANDA: &str = include_str!("../messages/domanda-registered/request.xml");
const COMPLETAMENTO: &str = include_str!("../messages/secondo-genitore/request.xml");

fn with_domanda(archivio: Archivio) -> Gateway {
    let gateway = Gateway::spawn(&Setting::on(archivio));
    assert_eq!(gateway.client("pat01").post(DOMANDA.as_bytes()).status, 200);
    gateway
}

/// A request of one operation, as `chi` asks it.
fn ask(client: &Client, corpo: &str) -> Reply {
    let envelope = format!(
        r#"<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope" xmlns:inps="http://inps.it/" xmlns:at="http://inps.it/AssegnoTemporaneo/v1" xmlns:coop="http://inps.it/cooperazione/v1"><env:Header><inps:Identity><UserId>op.bianchi</UserId><CodiceUfficio>001</CodiceUfficio></inps:Identity></env:Header><env:Body>{corpo}</env:Body></env:Envelope>"#
    );
    client.post(envelope.as_bytes())
}

fn consulta(client: &Client, nome: &str) -> Reply {
    ask(
        client,
        &format!("<at:ConsultaDomanda><at:Riferimento>{nome}</at:Riferimento></at:ConsultaDomanda>"),
    )
}

fn two_hundred_copies_of_a_completion_get_one_number(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    let numero = one_number_of_copies_from(&gateway, "pat02", COMPLETAMENTO);
    assert_eq!(numero, "INPS-AUF-2021-000000000002");
    let altra = COMPLETAMENTO.replace("META_ENTRAMBI", "INTERO_RICHIEDENTE");
    assert_eq!(
        gateway
            .client("pat02")
            .post(altra.as_bytes())
            .value("Codice")
            .as_deref(),
        Some("RPL-001"),
        "the key has its content"
    );
}

fn who_guesses_gets_one_answer_and_soon_none(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    let client = gateway.client("pat02");
    let sbagliate = [
        (">BBBRRR14A01A001X<", ">BNCNNA10T45H501Y<"),
        (">VRDLGU82B52F205E<", ">RSSMRA80A01H501U<"),
        (">1</coop:NumeroDomanda>", ">999</coop:NumeroDomanda>"),
    ];
    let senza_id = |reply: &Reply| {
        let testo = reply.text();
        let (prima, dopo) = testo.split_once("<coop:IdMessaggio>").unwrap();
        let (_, dopo) = dopo.split_once("</coop:IdMessaggio>").unwrap();
        let (dopo, _) = dopo.split_once("varco_id").unwrap();
        (reply.status, prima.to_owned(), dopo.to_owned())
    };
    let mut risposte = Vec::new();
    for n in 0..20 {
        let (giusto, sbagliato) = sbagliate[n % 3];
        let tentativo = COMPLETAMENTO
            .replace(giusto, sbagliato)
            .replace(">S-1<", &format!(">T-{n}<"));
        let reply = client.post(tentativo.as_bytes());
        assert_eq!(reply.value("Codice").as_deref(), Some("PRO-101"), "{n}");
        risposte.push(senza_id(&reply));
        // What matches is taken, and does not count.
        if n == 10 {
            let giusta = client.post(COMPLETAMENTO.as_bytes());
            assert_eq!(
                giusta.value("Esito").as_deref(),
                Some("REGISTRATA"),
                "{}",
                giusta.text()
            );
        }
    }
    risposte.dedup();
    assert_eq!(risposte.len(), 1, "whatever was wrong: {risposte:?}");

    let ancora = COMPLETAMENTO
        .replace(sbagliate[0].0, sbagliate[0].1)
        .replace(">S-1<", ">T-20<");
    let ancora = client.post(ancora.as_bytes());
    assert_eq!(
        (ancora.status, ancora.value("Codice").as_deref()),
        (429, Some("SEC-003"))
    );
    let attesa: u64 = ancora.header("retry-after").unwrap().parse().unwrap();
    assert!((3_000..=3_600).contains(&attesa), "{attesa}");
    let giusta = client.post(COMPLETAMENTO.replace(">S-1<", ">S-2<").as_bytes());
    assert_eq!(
        giusta.value("Codice").as_deref(),
        Some("SEC-003"),
        "right or wrong"
    );
    let di_allora = client.post(COMPLETAMENTO.as_bytes());
    assert_eq!(
        di_allora.value("Ripetizione").as_deref(),
        Some("true"),
        "a retry gets its receipt"
    );
    let altro = gateway.client("pat01");
    let con_il_suo_mandato = COMPLETAMENTO
        .replace("PAT02", "PAT01")
        .replace(sbagliate[0].0, sbagliate[0].1);
    assert_eq!(
        altro
            .post(con_il_suo_mandato.as_bytes())
            .value("Codice")
            .as_deref(),
        Some("PRO-101"),
        "each ente has its own"
    );
}

fn the_completing_ente_sees_its_sheet_and_nothing_else(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    let (presenta, completa) = (gateway.client("pat01"), gateway.client("pat02"));
    let per_numero = "<coop:NumeroDomanda>1</coop:NumeroDomanda>";
    for nome in [
        per_numero,
        "<coop:Protocollo>INPS-AUF-2021-000000000001</coop:Protocollo>",
    ] {
        assert_eq!(
            consulta(&completa, nome).value("Codice").as_deref(),
            Some("PRO-101"),
            "an outsider"
        );
    }
    let registrato = completa.post(COMPLETAMENTO.as_bytes());
    assert_eq!(
        registrato.value("Esito").as_deref(),
        Some("REGISTRATA"),
        "{}",
        registrato.text()
    );
    assert_eq!(registrato.value("DecorrenzaPresunta").as_deref(), Some("2021-08"));
    gateway.block_on(async {
        let mut motore = Motore::connect(&gateway, archivio).await;
        assert!(motore.moves(1, 1, "IN_ISTRUTTORIA").await && motore.moves(1, 2, "IN_ISTRUTTORIA").await);
    });

    let altrui = [
        "RSSMRA80A01H501U",
        "MARIO",
        "BNCNNA10T45H501Y",
        "mario.rossi",
        "IT60X0542811101000000123456",
        "PAT01",
        ">K-1<",
        "000000000001<",
    ];
    for nome in [
        per_numero,
        "<coop:Protocollo>INPS-AUF-2021-000000000001</coop:Protocollo>",
        "<coop:Protocollo>INPS-AUF-2021-000000000002</coop:Protocollo>",
        "<coop:ChiaveInvio>S-1</coop:ChiaveInvio>",
    ] {
        let vista = consulta(&completa, nome);
        assert_eq!(vista.values("Posto"), ["1"], "{nome}: {}", vista.text());
        assert_eq!(vista.value("Stato").as_deref(), Some("IN_ISTRUTTORIA"));
        assert_eq!(vista.value("ChiaveInvio").as_deref(), Some("S-1"));
        assert_eq!(
            (
                vista.value("Modalita").as_deref(),
                vista.value("IbanFinale").as_deref(),
                vista.value("Dal").as_deref()
            ),
            (Some("CC"), Some("3456"), Some("2021-08"))
        );
        assert_eq!(vista.values("Operazione"), ["CompletaSecondoGenitore"]);
        for dato in altrui {
            assert!(
                !vista.text().contains(dato),
                "{nome} tells {dato}: {}",
                vista.text()
            );
        }
    }
    let elenco = ask(&completa, "<at:RicercaDomande/>");
    assert_eq!(elenco.values("Posto"), ["1"], "{}", elenco.text());
    assert_eq!(elenco.value("Stato").as_deref(), Some("IN_ISTRUTTORIA"));
    let variazioni = ask(&completa, "<at:ElencoVariazioni/>");
    assert_eq!(
        variazioni.values("Tipo"),
        ["COMPLETAMENTO"],
        "{}",
        variazioni.text()
    );
    for reply in [&elenco, &variazioni] {
        for dato in altrui {
            assert!(!reply.text().contains(dato), "tells {dato}: {}", reply.text());
        }
    }
    let ricevuta = ask(
        &completa,
        "<at:ScaricaRicevuta><at:Riferimento><coop:ChiaveInvio>S-1</coop:ChiaveInvio></at:Riferimento></at:ScaricaRicevuta>",
    );
    assert_eq!(
        ricevuta.value("Protocollo").as_deref(),
        Some("INPS-AUF-2021-000000000002")
    );
    for nome in [
        per_numero,
        "<coop:Protocollo>INPS-AUF-2021-000000000001</coop:Protocollo>",
    ] {
        let altra = ask(
            &completa,
            &format!("<at:ScaricaRicevuta><at:Riferimento>{nome}</at:Riferimento></at:ScaricaRicevuta>"),
        );
        assert_eq!(
            altra.value("Codice").as_deref(),
            Some("PRO-101"),
            "{}",
            altra.text()
        );
    }

    // Who presented it is told that it happened, and not where the other half goes.
    let vista = consulta(&presenta, per_numero);
    assert_eq!(vista.values("Posto"), ["1", "2"]);
    assert!(!vista.text().contains("SecondaMeta"), "{}", vista.text());
    let feed = ask(&presenta, "<at:ElencoVariazioni/>");
    assert_eq!(
        feed.values("Tipo"),
        ["REGISTRATA", "ATTO", "COMPLETAMENTO"],
        "{}",
        feed.text()
    );
    assert!(!feed.text().contains("3456"), "{}", feed.text());
    let altrui = "<coop:ChiaveInvio>S-1</coop:ChiaveInvio>";
    assert_eq!(
        consulta(&presenta, altrui).value("Codice").as_deref(),
        Some("PRO-101")
    );
}

fn a_completion_and_the_engine_at_once_never_both_have_the_sheet(archivio: Archivio) {
    const GARE: u32 = 8;
    let gateway = Gateway::spawn(&Setting::on(archivio));
    for gara in 1..=GARE {
        let domanda = DOMANDA.replace(">K-1<", &format!(">G-{gara}<"));
        let inviata = gateway.client("pat01").post(domanda.as_bytes());
        assert_eq!(
            inviata.value("Esito").as_deref(),
            Some("REGISTRATA"),
            "{}",
            inviata.text()
        );
        let numero = format!(">{gara}</coop:NumeroDomanda>");
        let completamento = COMPLETAMENTO
            .replace(">1</coop:NumeroDomanda>", &numero)
            .replace(">S-1<", &format!(">S-{gara}<"));
        let risposta = thread::scope(|scope| {
            let patronato = scope.spawn(|| gateway.client("pat02").post(completamento.as_bytes()));
            gateway.block_on(async {
                let mut motore = Motore::connect(&gateway, archivio).await;
                for posto in [1, 2] {
                    assert!(motore.moves(gara, posto, "IN_ISTRUTTORIA").await);
                    assert!(motore.moves(gara, posto, "RESPINTA").await);
                }
            });
            patronato.join().unwrap()
        });
        // Either it came first, or what it met was told.
        match risposta.value("Esito").as_deref() {
            Some("REGISTRATA") => {}
            Some("RIFIUTATA") => {
                assert_eq!(
                    risposta.value("Codice").as_deref(),
                    Some("STA-001"),
                    "{}",
                    risposta.text()
                );
            }
            altro => panic!("{altro:?}: {}", risposta.text()),
        }
    }
}

fn what_was_asked_of_the_other_parent_is_answered(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    gateway.block_on(async {
        let mut motore = Motore::connect(&gateway, archivio).await;
        assert!(
            motore
                .executes(
                    "UPDATE schede SET azione_richiesta = 'INTEGRARE_ALTRO_GENITORE', azione_motivo = 'manca il conto'
                     WHERE numero_domanda = 1 AND posto = 1"
                        .to_owned()
                )
                .await
        );
    });
    let completa = gateway.client("pat02");
    assert_eq!(completa.post(COMPLETAMENTO.as_bytes()).status, 200);
    let vista = consulta(
        &gateway.client("pat01"),
        "<coop:NumeroDomanda>1</coop:NumeroDomanda>",
    );
    assert_eq!(
        vista.value("AzioneRichiesta").as_deref(),
        Some("NESSUNA"),
        "{}",
        vista.text()
    );
    assert_eq!(vista.value("MotivoAzione"), None);
}

fn the_second_parent_changes_its_mind(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    let completa = gateway.client("pat02");
    assert_eq!(completa.post(COMPLETAMENTO.as_bytes()).status, 200);
    // Another account a month later: the half runs on as it ran.
    gateway.clock.set("2021-08-16T10:00:00Z".parse().unwrap());
    let altro_conto = COMPLETAMENTO
        .replace(">S-1<", ">S-2<")
        .replace("IT60X0542811101000000123456", "IT30O0760103200000012345678");
    let reply = completa.post(altro_conto.as_bytes());
    assert_eq!(
        reply.value("Esito").as_deref(),
        Some("REGISTRATA"),
        "{}",
        reply.text()
    );
    let nome = "<coop:NumeroDomanda>1</coop:NumeroDomanda>";
    let vista = consulta(&completa, nome);
    assert_eq!(
        (
            vista.value("IbanFinale").as_deref(),
            vista.value("Dal").as_deref()
        ),
        (Some("5678"), Some("2021-08"))
    );
    // And then the whole to the applicant: from the month after that.
    let pagamento = COMPLETAMENTO.find("<at:Pagamento>").unwrap()
        ..COMPLETAMENTO.find("</at:Pagamento>").unwrap() + "</at:Pagamento>".len();
    let mut intero = COMPLETAMENTO.to_owned();
    intero.replace_range(pagamento, "");
    let intero = intero
        .replace(">S-1<", ">S-3<")
        .replace("META_ENTRAMBI", "INTERO_RICHIEDENTE");
    let reply = completa.post(intero.as_bytes());
    assert_eq!(
        reply.value("Esito").as_deref(),
        Some("REGISTRATA"),
        "{}",
        reply.text()
    );
    let vista = consulta(&completa, nome);
    assert_eq!(vista.value("Ripartizione").as_deref(), Some("INTERO_RICHIEDENTE"));
    assert_eq!(
        (vista.value("IbanFinale"), vista.value("Dal").as_deref()),
        (None, Some("2021-09"))
    );
    assert_eq!(
        ask(&completa, "<at:ElencoVariazioni/>").values("Tipo"),
        ["COMPLETAMENTO", "COMPLETAMENTO", "COMPLETAMENTO"]
    );
}

// ── The half is theirs, and ends with them ──

const UNICO: &str = include_str!("../messages/au-payment-b/request.xml");
const COMPLETAMENTO_UNICO: &str = include_str!("../messages/au-secondo-genitore/request.xml");
const MODIFICA: &str = include_str!("../messages/modifica/request.xml");

/// The domanda of assegno unico as it shall be, as an act about n. 1.
fn modifica_unico(chiave: &str, cambi: &[(&str, &str)]) -> String {
    let (prima, resto) = UNICO.split_once("<au:InviaDomanda>").unwrap();
    let (_, resto) = resto.split_once("<au:Domanda>").unwrap();
    let (domanda, _) = resto.split_once("</au:Domanda>").unwrap();
    let domanda = cambi.iter().fold(domanda.to_owned(), |domanda, (da, a)| {
        assert!(domanda.contains(da), "{da}");
        domanda.replace(da, a)
    });
    let prima = prima.replace(
        "<env:Envelope",
        r#"<env:Envelope xmlns:coop="http://inps.it/cooperazione/v1""#,
    );
    format!(
        "{prima}<au:ModificaDomanda><au:ChiaveInvio>{chiave}</au:ChiaveInvio><au:Modifica><au:Riferimento><coop:NumeroDomanda>1</coop:NumeroDomanda></au:Riferimento><au:Domanda>{domanda}</au:Domanda></au:Modifica></au:ModificaDomanda></env:Body></env:Envelope>"
    )
}

fn what_the_second_parent_said_no_modification_changes(archivio: Archivio) {
    const PRIMA: &str = "IT30O0760103200000012345678";
    const NUOVO: &str = "IT03I0542811101000000123499";
    const SUO: &str = "IT60X0542811101000000123456";
    let gateway = Gateway::spawn(&Setting {
        orologio: Some("2022-03-15T10:00:00Z".to_owned()),
        ..Setting::on(archivio)
    });
    let primo = gateway.client_of("AssegnoUnicoUniversale", "pat01");
    let secondo = gateway.client_of("AssegnoUnicoUniversale", "pat02");
    let registered = |reply: &Reply| {
        assert_eq!(
            reply.value("Esito").as_deref(),
            Some("REGISTRATA"),
            "{}",
            reply.text()
        );
    };
    registered(&primo.post(UNICO.as_bytes()));
    let altra_meta = || {
        gateway.block_on(async {
            let mut motore = Motore::connect(&gateway, archivio).await;
            let sql = "SELECT ripartizione || ' ' || altro_genitore_modalita || ' ' || altro_genitore_iban
                       FROM schede WHERE numero_domanda = 1 AND posto = 1";
            motore.column::<String>(sql).await.remove(0)
        })
    };
    // Until that parent speaks, the half is paid as the domanda says.
    registered(&primo.post(modifica_unico("M-1", &[(PRIMA, NUOVO)]).as_bytes()));
    assert_eq!(altra_meta(), format!("B IBAN {NUOVO}"));

    let completamento = COMPLETAMENTO_UNICO.replace("<au:Ripartizione>C<", "<au:Ripartizione>B<");
    registered(&secondo.post(completamento.as_bytes()));
    assert_eq!(altra_meta(), format!("B IBAN {SUO}"));
    // From then on it is theirs: whatever account is sent, the answer is the same.
    let cellulare = (
        "<au:Cognome>ROSSI</au:Cognome>",
        "<au:Cognome>ROSSI BIANCHI</au:Cognome>",
    );
    let mut risposte = Vec::new();
    for (chiave, conto) in [("M-2", PRIMA), ("M-3", SUO)] {
        let reply = primo.post(modifica_unico(chiave, &[(PRIMA, conto)]).as_bytes());
        assert_eq!(reply.values("Codice"), ["MOD-101", "MOD-004"], "{}", reply.text());
        risposte.push(reply.values("Percorso"));
    }
    assert_eq!(
        risposte[0], risposte[1],
        "the answer tells nothing of the account"
    );
    for (chiave, conto) in [("M-4", PRIMA), ("M-5", SUO)] {
        let altro_nome = if chiave == "M-4" {
            cellulare
        } else {
            (cellulare.0, "<au:Cognome>ROSSI NERI</au:Cognome>")
        };
        let reply = primo.post(modifica_unico(chiave, &[altro_nome, (PRIMA, conto)]).as_bytes());
        registered(&reply);
        assert_eq!(
            reply.values("Codice").last().unwrap(),
            "MOD-101",
            "{}",
            reply.text()
        );
        assert_eq!(altra_meta(), format!("B IBAN {SUO}"));
    }
    // Nor is the half taken from them.
    let pagamento = UNICO.find("<au:PagamentoAltroGenitore>").unwrap()
        ..UNICO.find("</au:PagamentoAltroGenitore>").unwrap() + "</au:PagamentoAltroGenitore>".len();
    let tutto = [
        (&UNICO[pagamento], ""),
        ("<au:Ripartizione>B<", "<au:Ripartizione>A<"),
    ];
    let reply = primo.post(modifica_unico("M-6", &tutto).as_bytes());
    assert_eq!(reply.values("Codice"), ["MOD-006"], "{}", reply.text());
    assert_eq!(altra_meta(), format!("B IBAN {SUO}"));
}

fn a_second_parent_who_is_another_takes_the_sheet_from_the_ente_of_the_first(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    let (primo, secondo) = (gateway.client("pat01"), gateway.client("pat02"));
    let nome = "<coop:NumeroDomanda>1</coop:NumeroDomanda>";
    assert_eq!(
        secondo.post(COMPLETAMENTO.as_bytes()).value("Esito").as_deref(),
        Some("REGISTRATA")
    );
    let listed = || {
        let ricerca = "<at:RicercaDomande><coop:Minore>BBBRRR14A01A001X</coop:Minore></at:RicercaDomande>";
        ask(&secondo, ricerca).values("Posto").len()
    };
    let told = || ask(&secondo, "<at:ElencoVariazioni/>").values("Tipo").len();
    assert_eq!((consulta(&secondo, nome).status, listed(), told()), (200, 1, 1));

    let altro = "BNCLCU80A01H501Q";
    let modifica = |chiave: &str, chi: &str| {
        let (prima, resto) = MODIFICA.split_once("ChiaveInvio>").unwrap();
        let (_, resto) = resto.split_once("</").unwrap();
        format!("{prima}ChiaveInvio>{chiave}</{resto}").replace("VRDLGU82B52F205E", chi)
    };
    let cambiata = primo.post(modifica("M-1", altro).as_bytes());
    assert_eq!(
        cambiata.value("Esito").as_deref(),
        Some("REGISTRATA"),
        "{}",
        cambiata.text()
    );
    // The sheet moves on, and the ente that spoke for the first one neither sees nor hears it.
    gateway.block_on(async {
        let mut motore = Motore::connect(&gateway, archivio).await;
        assert!(motore.moves(1, 1, "IN_ISTRUTTORIA").await);
    });
    let vista = consulta(&secondo, nome);
    assert_eq!(
        vista.value("Codice").as_deref(),
        Some("PRO-101"),
        "{}",
        vista.text()
    );
    assert_eq!((listed(), told()), (0, 1));
    let sua = consulta(&secondo, "<coop:ChiaveInvio>S-1</coop:ChiaveInvio>");
    assert_eq!(sua.value("Codice").as_deref(), Some("PRO-101"), "{}", sua.text());

    // Speaking for the new one, it sees it again.
    let ancora = COMPLETAMENTO
        .replace(">S-1<", ">S-2<")
        .replace("VRDLGU82B52F205E", altro);
    let reply = secondo.post(ancora.as_bytes());
    assert_eq!(
        reply.value("Esito").as_deref(),
        Some("REGISTRATA"),
        "{}",
        reply.text()
    );
    assert_eq!((consulta(&secondo, nome).status, listed(), told()), (200, 1, 2));
}

fn what_was_paid_to_the_parent_before_is_not_told_to_the_next(archivio: Archivio) {
    let gateway = with_domanda(archivio);
    let (primo, secondo) = (gateway.client("pat01"), gateway.client("pat02"));
    let registered = |reply: &Reply| {
        let esito = reply.value("Esito");
        assert_eq!(esito.as_deref(), Some("REGISTRATA"), "{}", reply.text());
    };
    let decide = |resto: &str| {
        gateway.block_on(async {
            let mut motore = Motore::connect(&gateway, archivio).await;
            motore
                .execute(&format!(
                    "INSERT INTO motore_decisioni_v1 (tipo, numero_domanda, posto, gettone, versione, istante, {resto}
                     FROM motore_stati_v1 WHERE numero_domanda = 1 AND posto = 1"
                ))
                .await;
        });
    };
    let moves = |da: &str, a: &str, azione: &str| {
        decide(&format!(
            "da, a, azione_richiesta, azione_motivo) SELECT 'STATO', 1, 1, '{GETTONE}', versione, '{ALLORA}', '{da}', '{a}', {azione}"
        ));
    };
    let pays = |tipo: &str, mese: &str, motivo: &str| {
        decide(&format!(
            "pagamento, mese, beneficiario, importo_cent, motivo) SELECT 'PAGAMENTO', 1, 1, '{GETTONE}', versione, '{ALLORA}', '{tipo}', '{mese}', 'ALTRO_GENITORE', 8375, {motivo}"
        ));
    };
    let takes = || {
        gateway.block_on(async {
            let mut motore = Motore::connect(&gateway, archivio).await;
            motore
                .execute(&format!(
                    "INSERT INTO motore_prese_v1 (numero_domanda, motore, gettone, durata_s) VALUES (1, 'prova', '{GETTONE}', 3600)"
                ))
                .await;
        });
    };
    let told = || {
        let vista = consulta(&secondo, "<coop:NumeroDomanda>1</coop:NumeroDomanda>");
        (vista.values("Mese"), vista.value("Dal"))
    };
    let mesi = |mesi: &[&str]| mesi.iter().map(|mese| (*mese).to_owned()).collect::<Vec<_>>();

    registered(&secondo.post(COMPLETAMENTO.as_bytes()));
    takes();
    moves("PRESENTATA", "IN_ISTRUTTORIA", "'NESSUNA', NULL");
    moves("IN_ISTRUTTORIA", "ACCOLTA", "'NESSUNA', NULL");
    pays("PAGATO", "2021-08", "NULL");
    pays("PAGATO", "2021-09", "NULL");
    assert_eq!(
        told(),
        (mesi(&["2021-08", "2021-09"]), Some("2021-08".to_owned()))
    );

    // It turns out that the other parent is another one.
    moves(
        "ACCOLTA",
        "IN_EVIDENZA_CITTADINO",
        "'INTEGRARE_ALTRO_GENITORE', 'altro genitore diverso'",
    );
    let altro = "BNCLCU80A01H501Q";
    let (prima, resto) = MODIFICA.split_once("<at:Domanda>").unwrap();
    let (_, dopo) = resto.split_once("</at:Domanda>").unwrap();
    let (_, presentata) = DOMANDA.split_once("<at:Domanda>").unwrap();
    let (presentata, _) = presentata.split_once("</at:Domanda>").unwrap();
    let presentata = presentata.replacen("VRDLGU82B52F205E", altro, 1);
    registered(&primo.post(format!("{prima}<at:Domanda>{presentata}</at:Domanda>{dopo}").as_bytes()));
    found_by_the_migration(&gateway, archivio);
    let ancora = COMPLETAMENTO
        .replace(">S-1<", ">S-2<")
        .replace("VRDLGU82B52F205E", altro);
    registered(&secondo.post(ancora.as_bytes()));
    assert_eq!(told().0, mesi(&[]), "the months of the one before");

    // Money of the one before that comes back is theirs, in the feed as well; what is paid from now on is the new one's.
    let feed = || {
        let variazioni = ask(&secondo, "<at:ElencoVariazioni/>");
        let tipi = variazioni.values("Tipo");
        tipi.iter().filter(|tipo| *tipo == "PAGAMENTO").count()
    };
    assert_eq!(feed(), 2);
    takes();
    moves("IN_EVIDENZA_CITTADINO", "ACCOLTA", "'NESSUNA', NULL");
    pays("RESTITUITO", "2021-09", "'IBAN estinto'");
    pays("PAGATO", "2021-10", "NULL");
    assert_eq!((told().0, feed()), (mesi(&["2021-10"]), 3));
    pays("PAGATO", "2021-09", "NULL");
    pays("RESTITUITO", "2021-09", "'IBAN estinto'");
    assert_eq!((told().0, feed()), (mesi(&["2021-10", "2021-09", "2021-09"]), 5));
}

/// A store of before the rule learns it from its acts, as if it had always kept it.
fn found_by_the_migration(gateway: &Gateway, archivio: Archivio) {
    let migrazione = match archivio {
        Archivio::Sqlite => include_str!("../../migrations/sqlite/0020_altro_genitore.sql"),
        Archivio::Postgres => include_str!("../../migrations/postgres/0020_altro_genitore.sql"),
    };
    let (_, da_qui) = migrazione.split_once("-- Those who became it before").unwrap();
    let (recupero, _) = da_qui.split_once("-- What is told of").unwrap();
    let kept = "SELECT posto || ' ' || coalesce(altro_genitore_dopo || '', '-') || ' ' || coalesce(altro_genitore_dal, '-')
                FROM schede WHERE numero_domanda = 1 ORDER BY posto";
    gateway.block_on(async {
        let mut motore = Motore::connect(gateway, archivio).await;
        let prima = motore.column::<String>(kept).await;
        assert!(prima[0].starts_with("1 ") && prima[0] != "1 - -", "{prima:?}");
        assert_eq!(prima[1], "2 - -");
        motore
            .execute("UPDATE schede SET altro_genitore_dopo = NULL, altro_genitore_dal = CASE posto WHEN 1 THEN '2021-08' END")
            .await;
        motore.execute(&format!("-- {recupero}")).await;
        assert_eq!(motore.column::<String>(kept).await, prima);
    });
}

/// By the engine's clock, which here is not the gateway's.
const ALLORA: &str = "2021-07-01T08:00:00.000Z";
const GETTONE: &str = "un-gettone-di-prova-0001";
