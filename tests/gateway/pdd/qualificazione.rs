//! The official set of wrong buste ("Modalità di qualificazione della Porta di Dominio v1.0", synchronous test), over the
//! wire: a folder each in tests/messages, numbers are theirs. What the whole answers look like is beside the requests; what
//! they must say, whoever blesses them, stands here.

use std::fs;
use std::path::Path;

use super::busta::{Forma, b, forma};
use super::scambi;
use crate::helpers::{Archivio, Gateway, Setting, on_both_stores};
use crate::messages::send_busta;

on_both_stores! {
    the_thirty_two_wrong_buste_get_the_stated_answers,
}

fn servita(codice: u16, posizione: &str) -> Forma {
    Forma::Risposta(vec![format!("EGOV_IT_{codice} INFO {posizione}")])
}

fn attesa(numero: &str) -> Forma {
    match numero {
        "00" => Forma::Risposta(Vec::new()),
        "02" => Forma::B(vec![
            "EGOV_IT_115 INFO ListaRiscontri".to_owned(),
            "EGOV_IT_115 GRAVE ListaRiscontri/Riscontro/Identificatore".to_owned(),
        ]),
        "03" => b(102, "Destinatario/IdentificativoParte/tipo"),
        "04" => b(101, "Mittente/IdentificativoParte/tipo"),
        "05" => b(108, "Messaggio/OraRegistrazione/tempo"),
        "06" => b(113, "ProfiloTrasmissione/inoltro"),
        "07" => b(105, "Servizio/tipo"),
        "08" => b(103, "ProfiloCollaborazione/tipo"),
        "10" => Forma::B(vec![
            "EGOV_IT_101 GRAVE Mittente/IdentificativoParte".to_owned(),
            "EGOV_IT_102 GRAVE Destinatario/IdentificativoParte".to_owned(),
        ]),
        "12" => b(2, "Intestazione/mustUnderstand"),
        "13" => b(2, "Intestazione/actor"),
        "14" => b(101, "Mittente/IdentificativoParte"),
        "18" => servita(101, "Mittente/IdentificativoParte/indirizzoTelematico"),
        "19" => b(116, "ListaTrasmissioni/Trasmissione/OraRegistrazione/tempo"),
        "21" => b(105, "Servizio"),
        "22" => b(301, "Messaggio/Scadenza"),
        "23" => b(106, "Azione"),
        "24" => servita(401, "Sequenza"),
        "26" => b(110, "Messaggio/Identificatore"),
        "27" => b(113, "ProfiloTrasmissione/confermaRicezione"),
        "28" => b(102, "Destinatario/IdentificativoParte"),
        "29" => b(103, "ProfiloCollaborazione"),
        "31" => b(108, "Messaggio/OraRegistrazione"),
        "33" => b(112, "Messaggio/Scadenza"),
        "09" | "11" | "15" | "16" | "17" | "20" | "25" | "30" | "32" => Forma::A,
        altro => panic!("no case {altro}"),
    }
}

fn the_thirty_two_wrong_buste_get_the_stated_answers(archivio: Archivio) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages");
    let mut casi: Vec<(String, std::path::PathBuf)> = fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| {
            let nome = path.file_name()?.to_str()?.strip_prefix("busta-")?.to_owned();
            Some((nome, path))
        })
        .collect();
    casi.sort();
    let numeri: Vec<&str> = casi.iter().map(|(nome, _)| &nome[..2]).collect();
    assert_eq!(numeri.len(), 33, "{numeri:?}");

    let gateway = Gateway::spawn(&Setting::on(archivio));
    let replies: Vec<_> = casi
        .iter()
        .map(|(nome, folder)| {
            let reply = send_busta(folder, &gateway, None, None);
            assert_eq!(forma(&reply), attesa(&nome[..2]), "{nome}\n{}", reply.text());
            reply
        })
        .collect();
    // Each leaves its record or, where there is none to leave, a diagnostic.
    let kept = scambi(&gateway, casi.len());
    let (mut con_busta, mut senza) = (0, 0);
    for (((nome, _), reply), uno) in casi.iter().zip(&replies).zip(&kept) {
        let (scambio, atteso) = (&uno.scambio, attesa(&nome[..2]));
        if atteso == Forma::A {
            senza += 1;
            assert!(
                scambio.richiesta.is_none() && scambio.risposta.is_none(),
                "{nome}"
            );
            let detto = &scambio.diagnostico.as_ref().unwrap().testo;
            assert!(
                detto.contains("127.0.0.1") && detto.contains("CN=pat01"),
                "{nome}: {detto}"
            );
        } else {
            con_busta += 1;
            let richiesta = scambio.richiesta.as_deref().unwrap();
            let testo = std::str::from_utf8(richiesta).unwrap();
            assert!(
                testo.starts_with("<eGov_IT:Intestazione ") && testo.ends_with("</eGov_IT:Intestazione>")
            );
            let risposta = &scambio.risposta.as_ref().unwrap().intestazione;
            assert!(
                reply.text().contains(std::str::from_utf8(risposta).unwrap()),
                "{nome}"
            );
        }
    }
    assert_eq!((con_busta, senza), (24, 9));
}
