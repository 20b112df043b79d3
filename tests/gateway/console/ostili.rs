//! What a sender wrote is text, on every page and in every field.

use jiff::Timestamp;
use uuid::Uuid;
use varco::store::operatori::Ruolo;
use varco::trace::{RifiutoAllaPorta, Traccia};

use super::ospite::Ospite;
use super::{add, spawn};
use crate::helpers::{Archivio, Gateway, on_both_stores};

on_both_stores! {
    hostile_strings_are_shown_as_they_are_and_do_nothing,
}

/// Script, attribute, SQL, formula, template, signs that no eye sees. `window.varcoColpito` tells whether any ran.
pub(super) const OSTILI: [&str; 9] = [
    "<script>window.varcoColpito=1</script>",
    "\"><img src=x onerror=\"window.varcoColpito=1\">",
    "' onfocus='window.varcoColpito=1' autofocus='",
    "</textarea></title><svg onload=window.varcoColpito=1>",
    "javascript:window.varcoColpito=1",
    "'; DROP TABLE tracce; --",
    "=HYPERLINK(\"http://male.example/\";\"x\")",
    "{{ 7*7 }}{% include \"/etc/passwd\" %}",
    "domanda\u{202E}lmth\u{2066}.\u{1b}[31m\u{7}",
];

/// A trace and a refusal at the door with this string wherever one fits.
pub(super) fn plant(gateway: &Gateway, numero: u128, ostile: &str) -> Uuid {
    let id = Uuid::from_u128(0x0197_a3c1_0000_7000_8000_0000_0000_0000 + numero);
    let suo = || Some(ostile.to_owned());
    let ricevuto_il = Timestamp::from_second(1_700_000_000 + i64::try_from(numero).unwrap()).unwrap();
    let corpo = format!(
        "<?xml version=\"1.0\"?><a b=\"{ostile}\"><Errore><Codice>{ostile}</Codice><Testo>{ostile}</Testo></Errore>{ostile}</a>"
    );
    let traccia = Traccia {
        message_id: id,
        ricevuto_il,
        canale: "MODI".to_owned(),
        certificato_soggetto: ostile.to_owned(),
        certificato_seriale: ostile.to_owned(),
        tls: ostile.to_owned(),
        ente: suo(),
        user_id: suo(),
        codice_ufficio: suo(),
        identity_forma: suo(),
        uri: ostile.to_owned(),
        servizio: suo(),
        operazione: suo(),
        id_mittente: suo(),
        id_transazione: suo(),
        chiave_invio: suo(),
        digest: suo(),
        impronta: suo(),
        http_status: 500,
        esito: "FAULT".to_owned(),
        codice: suo(),
        codici: vec![ostile.to_owned(), ostile.to_owned()],
        // Not the number: it is ours, and never a sender's word.
        note: vec![ostile.to_owned()],
        richiesta: Some(corpo.clone().into_bytes().into()),
        risposta: Some(corpo.into_bytes().into()),
        ..Traccia::default()
    };
    let rifiuto = RifiutoAllaPorta {
        istante: ricevuto_il,
        indirizzo: None,
        soggetto: suo(),
        seriale: suo(),
        sni: suo(),
        codice: "TLS-001".to_owned(),
        causa: ostile.to_owned(),
        rimedio: ostile.to_owned(),
    };
    gateway.block_on(async {
        gateway.store().write_tracce(&[traccia]).await.unwrap();
        gateway.store().write_porta(&[rifiuto]).await.unwrap();
    });
    id
}

fn hostile_strings_are_shown_as_they_are_and_do_nothing(archivio: Archivio) {
    let gateway = spawn(archivio);
    add(&gateway, "indro", Ruolo::Indagatore);
    let indro = Ospite::come_in(&gateway, "indro");
    for (numero, ostile) in OSTILI.into_iter().enumerate() {
        let id = plant(&gateway, numero as u128, ostile);
        let messaggio = format!("/messaggi/{id}");
        let per_nome = format!("/messaggi/{id}/in-chiaro");
        assert_eq!(indro.get(&messaggio).status, 200, "{ostile}");
        let pagine = [
            indro.get(&messaggio).text(),
            indro.get("/messaggi").text(),
            indro.get("/porta").text(),
            indro
                .submit(
                    "/messaggi/cerca",
                    &[("persona", ostile), ("ente", ostile), ("user_id", ostile)],
                )
                .text(),
            indro.submit(&per_nome, &[("motivo", ostile)]).text(),
            indro
                .submit(&per_nome, &[("motivo", &format!("reclamo numero {ostile}"))])
                .text(),
            indro.get(&format!("/porta?cerca={}", percent(ostile))).text(),
            indro
                .get(&format!("/messaggi?ente={0}&dal={0}&codice={0}", percent(ostile)))
                .text(),
            indro.get(&format!("/accesso?torna={}", percent(ostile))).text(),
            indro
                .get(&format!("/traffico?minuti={0}&ogni={0}", percent(ostile)))
                .text(),
        ];
        for (quale, pagina) in pagine.iter().enumerate() {
            assert!(pagina.starts_with("<!DOCTYPE html>"), "{ostile}: page {quale}");
            for vietato in [
                "<script",
                "<img",
                "onerror=\"",
                "' onfocus='",
                "\u{202E}",
                "\u{1b}",
                "\u{7}",
                "href=\"javascript",
            ] {
                assert!(!pagina.contains(vietato), "{ostile}: {vietato} in page {quale}");
            }
            // Tags are ours alone: every one that opens is one that the templates know.
            for tag in pagina.split('<').skip(1) {
                let nome: String = tag
                    .trim_start_matches(['/', '!'])
                    .chars()
                    .take_while(char::is_ascii_alphanumeric)
                    .collect();
                assert!(TAG.contains(&nome.as_str()), "{ostile}: <{nome}> in page {quale}");
            }
        }
        // Kept from nobody: what was written is there to be read.
        let letto = pagine[0]
            .replace("&#60;", "<")
            .replace("&#62;", ">")
            .replace("&#34;", "\"")
            .replace("&#39;", "'")
            .replace("&#38;", "&");
        let visto = ostile
            .replace('\u{202E}', "⟨U+202E⟩")
            .replace('\u{2066}', "⟨U+2066⟩")
            .replace('\u{1b}', "⟨U+001B⟩")
            .replace('\u{7}', "⟨U+0007⟩");
        assert!(letto.contains(&visto), "{ostile}");
    }
    let foglio = indro.submit("/messaggi/esporta", &[("esito", "FAULT")]);
    assert_eq!(foglio.content_type, "text/csv; charset=utf-8");
    let foglio = foglio.text();
    assert!(foglio.lines().count() > OSTILI.len(), "{foglio}");
    for formula in [",\"=", ",\"+", ",\"@", ",\"-"] {
        assert!(!foglio.contains(formula), "{formula}: {foglio}");
    }
    // The table that one of them would have dropped.
    assert_eq!(indro.get("/messaggi").status, 200);
}

const TAG: [&str; 55] = [
    "DOCTYPE", "a", "bdi", "body", "br", "button", "caption", "circle", "dd", "details", "div", "dl", "dt",
    "form", "h1", "h2", "h3", "head", "header", "html", "input", "label", "li", "line", "link", "main",
    "meta", "meter", "nav", "ol", "option", "p", "path", "polygon", "polyline", "progress", "rect",
    "section", "select", "small", "span", "strong", "summary", "svg", "table", "tbody", "td", "text",
    "textarea", "tfoot", "th", "thead", "title", "tr", "ul",
];

fn percent(testo: &str) -> String {
    testo
        .bytes()
        .fold(String::new(), |scritto, byte| format!("{scritto}%{byte:02X}"))
}
