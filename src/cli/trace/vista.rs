//! How a trace is shown: a line, the whole, JSON. Values of persons are masked unless a reason was given.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::trace::{RifiutoAllaPorta, Traccia, redact};

pub(super) const INTESTAZIONE: [&str; 8] = [
    "ricevuto il",
    "IdMessaggio",
    "ente",
    "operazione",
    "esito",
    "codice",
    "protocollo",
    "ms",
];

pub(super) fn row(colonne: &[impl AsRef<str>; 8]) -> String {
    let [quando, id, ente, operazione, esito, codice, protocollo, ms] = colonne.each_ref().map(AsRef::as_ref);
    format!(
        "{quando:<24}  {id:<36}  {ente:<8}  {operazione:<16}  {esito:<11}  {codice:<8}  {protocollo:<26}  {ms:>8}"
    )
}

pub(super) fn columns(traccia: &Traccia) -> [String; 8] {
    let or_dash = |valore: &Option<String>| valore.clone().unwrap_or_else(|| "-".to_owned());
    [
        when(traccia.ricevuto_il),
        traccia.message_id.to_string(),
        or_dash(&traccia.ente),
        or_dash(&traccia.operazione),
        traccia.esito.clone(),
        or_dash(&traccia.codice),
        or_dash(&traccia.protocollo),
        millis(traccia.tempi_us.iter().map(|(_, us)| us).sum()),
    ]
}

pub(super) fn when(istante: Timestamp) -> String {
    format!("{istante:.3}")
}

pub(super) fn millis(us: u64) -> String {
    format!("{}.{:03}", us / 1000, us % 1000)
}

pub(super) fn whole(traccia: &Traccia, in_chiaro: bool) -> String {
    let mut testo = String::new();
    let mut line = |nome: &str, valore: &str| {
        if !valore.is_empty() {
            let _ = writeln!(testo, "{nome:<18}{valore}");
        }
    };
    let text = |valore: &Option<String>| valore.clone().unwrap_or_default();
    // What a sender chose may name somebody, too.
    let chosen = |valore: &Option<String>| shown(text(valore).as_bytes(), in_chiaro);
    line("IdMessaggio", &traccia.message_id.to_string());
    line("ricevuto il", &when(traccia.ricevuto_il));
    line(
        "esito",
        &format!("{} (HTTP {})", traccia.esito, traccia.http_status),
    );
    line("protocollo", &text(&traccia.protocollo));
    line(
        "numero domanda",
        &traccia
            .numero_domanda
            .map(|numero| numero.to_string())
            .unwrap_or_default(),
    );
    line("codici", &traccia.codici.join(" "));
    line("canale", &traccia.canale);
    line("richiesta a", &traccia.uri);
    line("servizio", &text(&traccia.servizio));
    line("operazione", &text(&traccia.operazione));
    line("ente", &text(&traccia.ente));
    line("CodiceUfficio", &text(&traccia.codice_ufficio));
    line("UserId", &shown_user(traccia, in_chiaro));
    line("Identity", &text(&traccia.identity_forma));
    line(
        "indirizzo",
        &traccia
            .indirizzo
            .map(|indirizzo| indirizzo.to_string())
            .unwrap_or_default(),
    );
    line("certificato", &traccia.certificato_soggetto);
    line("seriale", &traccia.certificato_seriale);
    line("TLS", &traccia.tls);
    line("id del mittente", &chosen(&traccia.id_mittente));
    line("id transazione", &chosen(&traccia.id_transazione));
    line("ChiaveInvio", &chosen(&traccia.chiave_invio));
    line("digest", &text(&traccia.digest));
    line("impronta", &text(&traccia.impronta));
    line("byte ricevuti", &traccia.richiesta_len.to_string());
    line("byte inviati", &traccia.risposta_len.to_string());
    for (passo, us) in &traccia.tempi_us {
        line(&format!("  {passo}"), &format!("{:>10} ms", millis(*us)));
    }
    for nota in &traccia.note {
        line("nota", &shown(nota.as_bytes(), in_chiaro));
    }
    for (nome, bytes) in [("richiesta", &traccia.richiesta), ("risposta", &traccia.risposta)] {
        match bytes {
            Some(bytes) => writeln!(testo, "\n── {nome} ──\n{}", shown(bytes, in_chiaro)),
            None => writeln!(testo, "\n── {nome}: non conservata ──"),
        }
        .unwrap_or_default();
    }
    testo
}

/// Bytes of a message, masked unless a reason was given.
fn shown(bytes: &[u8], in_chiaro: bool) -> String {
    let testo = redact::text_of(bytes);
    if in_chiaro {
        testo.into_owned()
    } else {
        redact::mask(&testo)
    }
}

pub(super) fn shown_user(traccia: &Traccia, in_chiaro: bool) -> String {
    // An operator's UserId may be their codice fiscale.
    traccia
        .user_id
        .as_deref()
        .map(|user_id| shown(user_id.as_bytes(), in_chiaro))
        .unwrap_or_default()
}

pub(super) fn brief_json(traccia: &Traccia) -> Value {
    json!({
        "message_id": traccia.message_id.to_string(),
        "ricevuto_il": traccia.ricevuto_il.to_string(),
        "ente": traccia.ente,
        "codice_ufficio": traccia.codice_ufficio,
        "servizio": traccia.servizio,
        "operazione": traccia.operazione,
        "chiave_invio": traccia.chiave_invio,
        "esito": traccia.esito,
        "http_status": traccia.http_status,
        "codice": traccia.codice,
        "codici": traccia.codici,
        "protocollo": traccia.protocollo,
        "numero_domanda": traccia.numero_domanda,
        "tempo_us": traccia.tempi_us.iter().map(|(_, us)| us).sum::<u64>(),
    })
}

pub(super) fn whole_json(traccia: &Traccia, in_chiaro: bool) -> Value {
    let mut tutto = brief_json(traccia);
    let resto = json!({
        "canale": traccia.canale,
        "indirizzo": traccia.indirizzo.map(|indirizzo| indirizzo.to_string()),
        "certificato_soggetto": traccia.certificato_soggetto,
        "certificato_seriale": traccia.certificato_seriale,
        "tls": traccia.tls,
        "user_id": traccia.user_id.as_ref().map(|_| shown_user(traccia, in_chiaro)),
        "identity_forma": traccia.identity_forma,
        "uri": traccia.uri,
        "id_mittente": traccia.id_mittente,
        "id_transazione": traccia.id_transazione,
        "digest": traccia.digest,
        "impronta": traccia.impronta,
        "richiesta_len": traccia.richiesta_len,
        "risposta_len": traccia.risposta_len,
        "tempi_us": traccia.tempi_us.iter().map(|(passo, us)| json!([passo, us])).collect::<Vec<_>>(),
        "note": traccia.note,
        "richiesta": traccia.richiesta.as_ref().map(|bytes| shown(bytes, in_chiaro)),
        "risposta": traccia.risposta.as_ref().map(|bytes| shown(bytes, in_chiaro)),
    });
    if let (Value::Object(tutto), Value::Object(resto)) = (&mut tutto, resto) {
        tutto.extend(resto);
    }
    tutto
}

pub(super) fn door(rifiuto: &RifiutoAllaPorta) -> String {
    let dash = || "-".to_owned();
    format!(
        "{}  {}  {}  {}  seriale {}{}\n    {}\n    → {}\n",
        when(rifiuto.istante),
        rifiuto.codice,
        rifiuto
            .indirizzo
            .map_or_else(dash, |indirizzo| indirizzo.to_string()),
        rifiuto
            .soggetto
            .clone()
            .unwrap_or_else(|| "senza certificato".to_owned()),
        rifiuto.seriale.clone().unwrap_or_else(dash),
        rifiuto
            .sni
            .as_ref()
            .map(|sni| format!("  SNI {sni}"))
            .unwrap_or_default(),
        rifiuto.causa,
        rifiuto.rimedio,
    )
}

pub(super) fn door_json(rifiuto: &RifiutoAllaPorta) -> Value {
    json!({
        "istante": rifiuto.istante.to_string(),
        "codice": rifiuto.codice,
        "indirizzo": rifiuto.indirizzo.map(|indirizzo| indirizzo.to_string()),
        "soggetto": rifiuto.soggetto,
        "seriale": rifiuto.seriale,
        "sni": rifiuto.sni,
        "causa": rifiuto.causa,
        "rimedio": rifiuto.rimedio,
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn traccia() -> Traccia {
        Traccia {
            message_id: Uuid::from_u128(7),
            esito: "RIFIUTATA".to_owned(),
            codice: Some("CF-002".to_owned()),
            ente: Some("PAT01".to_owned()),
            user_id: Some("RSSMRA80A01H501U".to_owned()),
            tempi_us: vec![("busta", 1200), ("forma", 345)],
            richiesta: Some(bytes::Bytes::from_static(
                b"<CodiceFiscale>RSSMRA80A01H501U</CodiceFiscale>",
            )),
            ..Traccia::default()
        }
    }

    #[test]
    fn a_trace_in_full_shows_its_steps_and_hides_its_persons() {
        let testo = whole(&traccia(), false);
        assert!(testo.contains("  busta                1.200 ms"), "{testo}");
        assert!(!testo.contains("RSSMRA80A01H501U"), "{testo}");
        assert!(whole(&traccia(), true).contains("RSSMRA80A01H501U"));
        assert!(
            !whole_json(&traccia(), false)
                .to_string()
                .contains("RSSMRA80A01H501U")
        );
    }

    #[test]
    fn the_table_has_one_line_a_trace() {
        let riga = row(&columns(&traccia()));
        assert!(riga.contains("00000000-0000-0000-0000-000000000007"));
        assert!(riga.contains("CF-002") && riga.ends_with("1.545"), "{riga}");
    }
}
