//! Traces as CSV (RFC 4180), for a spreadsheet: whatever a sender wrote into a field, a cell is a text and nothing else.

use std::fmt::Write as _;

use super::{Traccia, redact};

/// The first line.
#[must_use]
pub fn head() -> String {
    record(COLONNE.iter().map(|colonna| (*colonna).to_owned()))
}

const COLONNE: [&str; 25] = [
    "ricevuto_il",
    "message_id",
    "esito",
    "http_status",
    "codice",
    "codici",
    "ente",
    "codice_ufficio",
    "user_id",
    "canale",
    "servizio",
    "operazione",
    "protocollo",
    "numero_domanda",
    "chiave_invio",
    "id_mittente",
    "id_transazione",
    "indirizzo",
    "certificato_soggetto",
    "certificato_seriale",
    "tls",
    "richiesta_len",
    "risposta_len",
    "tempo_us",
    "note",
];

/// The line of a trace, persons masked.
#[must_use]
pub fn line(traccia: &Traccia) -> String {
    let text = |valore: &Option<String>| valore.clone().unwrap_or_default();
    let celle: [String; COLONNE.len()] = [
        traccia.ricevuto_il.to_string(),
        traccia.message_id.to_string(),
        traccia.esito.clone(),
        traccia.http_status.to_string(),
        text(&traccia.codice),
        traccia.codici.join(" "),
        text(&traccia.ente),
        text(&traccia.codice_ufficio),
        text(&traccia.user_id),
        traccia.canale.clone(),
        text(&traccia.servizio),
        text(&traccia.operazione),
        text(&traccia.protocollo),
        traccia
            .numero_domanda
            .map(|numero| numero.to_string())
            .unwrap_or_default(),
        text(&traccia.chiave_invio),
        text(&traccia.id_mittente),
        text(&traccia.id_transazione),
        traccia
            .indirizzo
            .map(|indirizzo| indirizzo.to_string())
            .unwrap_or_default(),
        traccia.certificato_soggetto.clone(),
        traccia.certificato_seriale.clone(),
        traccia.tls.clone(),
        traccia.richiesta_len.to_string(),
        traccia.risposta_len.to_string(),
        traccia.tempi_us.iter().map(|(_, us)| us).sum::<u64>().to_string(),
        traccia.note.join(" | "),
    ];
    record(celle.into_iter().map(|cella| redact::mask(&cella)))
}

fn record(celle: impl IntoIterator<Item = String>) -> String {
    let celle: Vec<_> = celle.into_iter().map(|cella| cell(&cella)).collect();
    celle.join(",") + "\r\n"
}

/// A cell. It is always quoted; a control character is told by its number, so that a record is a line; where a
/// spreadsheet would begin a formula (also after what it may take for a separator) there stands an apostrophe.
fn cell(testo: &str) -> String {
    let mut cella = String::with_capacity(testo.len() + 2);
    cella.push('"');
    let mut all_inizio = true;
    for c in testo.chars() {
        if all_inizio && matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠') {
            cella.push('\'');
        }
        // White space before a formula is no protection from it.
        all_inizio =
            matches!(c, ',' | ';' | '|' | '"') || (all_inizio && c.is_whitespace()) || c.is_control();
        match c {
            '"' => cella.push_str("\"\""),
            c if c.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(cella, "\\u{{{:x}}}", u32::from(c));
            }
            c => cella.push(c),
        }
    }
    cella.push('"');
    cella
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A reader of RFC 4180 that knows nothing of the writer.
    fn read(testo: &str) -> Vec<Vec<String>> {
        let (mut righe, mut riga, mut cella) = (Vec::new(), Vec::new(), String::new());
        let mut fra_virgolette = false;
        let mut caratteri = testo.chars().peekable();
        while let Some(c) = caratteri.next() {
            match c {
                '"' if fra_virgolette && caratteri.peek() == Some(&'"') => {
                    cella.push('"');
                    caratteri.next();
                }
                '"' => fra_virgolette = !fra_virgolette,
                ',' if !fra_virgolette => riga.push(std::mem::take(&mut cella)),
                '\n' if !fra_virgolette => {
                    assert_eq!(cella.pop(), Some('\r'));
                    riga.push(std::mem::take(&mut cella));
                    righe.push(std::mem::take(&mut riga));
                }
                c => cella.push(c),
            }
        }
        assert!(cella.is_empty() && riga.is_empty() && !fra_virgolette);
        righe
    }

    #[test]
    fn a_cell_is_a_text_and_nothing_else() {
        for (testo, atteso) in [
            ("PAT01", r#""PAT01""#),
            ("", r#""""#),
            ("a\"b", r#""a""b""#),
            ("=HYPERLINK(\"http://x\")", r#""'=HYPERLINK(""http://x"")""#),
            ("  +1", r#""  '+1""#),
            ("-1", r#""'-1""#),
            ("@SUM(A1)", r#""'@SUM(A1)""#),
            ("\t=1", r#""\u{9}'=1""#),
            ("\r\n=1", r#""\u{d}\u{a}'=1""#),
            ("a;=1", r#""a;'=1""#),
            ("＝1", r#""'＝1""#),
            ("\u{1b}[31m", r#""\u{1b}[31m""#),
            ("2021-07-15", r#""2021-07-15""#),
            ("urn:a=b", r#""urn:a=b""#),
        ] {
            assert_eq!(cell(testo), atteso, "{testo:?}");
        }
    }

    #[test]
    fn nobody_is_named_in_a_line() {
        let traccia = Traccia {
            user_id: Some("RSSMRA80A01H501U".to_owned()),
            chiave_invio: Some("pratica RSSMRA80A01H501U".to_owned()),
            note: vec!["=cmd|' /C calc'!A0".to_owned()],
            ..Traccia::default()
        };
        let riga = line(&traccia);
        assert!(
            !riga.contains("RSSMRA80A01H501U") && riga.contains("RSS*************"),
            "{riga}"
        );
        assert!(riga.ends_with(",\"'=cmd|' /C calc'!A0\"\r\n"), "{riga}");
        assert_eq!(
            read(&(head() + &riga)).iter().map(Vec::len).collect::<Vec<_>>(),
            [COLONNE.len(); 2]
        );
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_back_cell_by_cell(celle in proptest::collection::vec("[\\PC\t\r\n\",;=+@'-]{0,12}", 1..6)) {
            let riga = record(celle.iter().cloned());
            let lette = read(&riga);
            prop_assert_eq!(lette.len(), 1);
            prop_assert_eq!(lette[0].len(), celle.len());
            for (letta, scritta) in lette[0].iter().zip(&celle) {
                let inizio = letta.trim_start().chars().next();
                prop_assert!(!matches!(inizio, Some('=' | '+' | '-' | '@')), "{:?}", letta);
                prop_assert!(!letta.contains(char::is_control));
                let senza = |testo: &str| testo.chars().filter(|c| *c != '\'').collect::<String>();
                if !scritta.contains(char::is_control) {
                    prop_assert_eq!(senza(letta), senza(scritta));
                }
            }
        }
    }
}
