//! The same faults, whoever is asked: `InviaDomanda`, `VerificaDomanda`, and `varco validate` offline.

use varco::cli::validate;
use varco::domanda::Ambiente;
use varco::schema::Schema;

use crate::helpers::{Archivio, Gateway, Reply, Setting, on_both_stores};

on_both_stores! {
    invia_verifica_and_validate_say_the_same_of_the_same_domanda,
}

/// Code, path, line and sentence of each error.
type Errori = Vec<[String; 4]>;

fn told(reply: &Reply) -> Errori {
    let (codici, percorsi) = (reply.values("Codice"), reply.values("Percorso"));
    let (righe, testi) = (reply.values("Riga"), reply.values("Testo"));
    assert!(
        codici.len() == percorsi.len() && codici.len() == righe.len(),
        "{}",
        reply.text()
    );
    let mut errori = Vec::new();
    for (((codice, percorso), riga), testo) in codici.into_iter().zip(percorsi).zip(righe).zip(testi) {
        errori.push([
            codice,
            percorso,
            riga,
            testo.replace("&lt;", "<").replace("&gt;", ">"),
        ]);
    }
    errori
}

fn invia_verifica_and_validate_say_the_same_of_the_same_domanda(archivio: Archivio) {
    let schema = Schema::load().unwrap();
    for (servizio, orologio, invia) in [
        (
            "AssegnoTemporaneo",
            "2021-07-15T10:00:00Z",
            include_str!("../messages/five-faults-of-form/request.xml"),
        ),
        (
            "AssegnoTemporaneo",
            "2021-07-15T10:00:00Z",
            include_str!("../messages/five-broken-rules/request.xml"),
        ),
        (
            "AssegnoUnicoUniversale",
            "2022-03-15T10:00:00Z",
            include_str!("../messages/au-five-faults-of-form/request.xml"),
        ),
        (
            "AssegnoUnicoUniversale",
            "2022-03-15T10:00:00Z",
            include_str!("../messages/au-five-broken-rules/request.xml"),
        ),
    ] {
        let gateway = Gateway::spawn(&Setting {
            orologio: Some(orologio.to_owned()),
            ..Setting::on(archivio)
        });
        let client = gateway.client_of(servizio, "pat01");
        let presentata_il = orologio.parse().unwrap();
        let verifica = invia.replace(":InviaDomanda", ":VerificaDomanda");
        let by_invia = told(&client.post(invia.as_bytes()));
        assert_eq!(by_invia.len(), 5, "{by_invia:?}");
        assert_eq!(told(&client.post(verifica.as_bytes())), by_invia);
        let invia = invia.as_bytes();
        let verdetto = validate::judge(&schema, invia, Ambiente::Sandbox, presentata_il).unwrap();
        let offline: Errori = verdetto
            .errori
            .iter()
            .map(|errore| {
                let riga = errore.riga.map(|riga| riga.to_string()).unwrap_or_default();
                [
                    errore.codice.clone(),
                    errore.percorso.clone(),
                    riga,
                    errore.testo.clone(),
                ]
            })
            .collect();
        assert_eq!(offline, by_invia);
    }
}
