//! What a simple type asks for, in words: a finding says what was expected, as a person would. Values that came
//! with the message are repeated only where they cannot be anybody's data: words of a codelist, booleans, dates
//! other than of birth, and these only while they look like what they should be.

use super::authority::Appunto;
use super::is_spazio;
use super::outline::{Elemento, Semplice};
use crate::catalogo::Codice;
use crate::domanda::Violazione;

/// Completes the finding that `elemento` has no value of its type; `appunto` is the first thing that the authority
/// holds against it.
pub(super) fn value(
    violazione: Violazione,
    elemento: &Elemento,
    semplice: &Semplice,
    testo: &str,
    appunto: &Appunto,
) -> Violazione {
    let valore = testo.trim_matches(is_spazio);
    let mut violazione = violazione.with("elemento", &elemento.etichetta);
    violazione.codice = if valore.is_empty() {
        Codice::Xsd017
    } else {
        match appunto.vincolo {
            "cvc-pattern-valid" => Codice::Xsd010,
            "cvc-enumeration-valid" => Codice::Xsd011,
            "cvc-maxLength-valid" => Codice::Xsd012,
            "cvc-minLength-valid" => Codice::Xsd013,
            "cvc-length-valid" => Codice::Xsd014,
            "cvc-minInclusive-valid"
            | "cvc-maxInclusive-valid"
            | "cvc-minExclusive-valid"
            | "cvc-maxExclusive-valid"
            | "cvc-totalDigits-valid"
            | "cvc-fractionDigits-valid" => Codice::Xsd015,
            vincolo if vincolo.starts_with("cvc-datatype-valid") || vincolo == "cvc-simple-type" => {
                Codice::Xsd016
            }
            _ => Codice::Xsd099,
        }
    };
    let (forma, form) = forma(semplice);
    let (trovato, found) = trovato(elemento, semplice, valore);
    let limite = match violazione.codice {
        Codice::Xsd012 => semplice.lunghezza_max,
        Codice::Xsd013 => semplice.lunghezza_min,
        _ => semplice.lunghezza,
    };
    violazione
        .with("forma", forma)
        .with("form", form)
        .with("trovato", trovato)
        .with("found", found)
        .with("limite", limite.unwrap_or_default())
        .with("lunghezza", collapsed_len(valore))
        .with("vincolo", appunto.vincolo)
}

/// What a value of the type looks like, in Italian and English.
fn forma(semplice: &Semplice) -> (String, String) {
    if !semplice.valori.is_empty() {
        let valori = semplice.valori.join(", ");
        return (format!("uno tra {valori}"), format!("one of {valori}"));
    }
    let a_parole = match semplice.nome.as_deref() {
        Some("ChiaveInvio") => Some((
            "da 1 a 64 caratteri tra lettere senza accento, cifre e . _ : / -",
            "1 to 64 characters out of unaccented letters, digits and . _ : / -",
        )),
        Some("CodiceFiscale") => Some((
            "un codice fiscale di 16 caratteri maiuscoli, o provvisorio di 11 cifre, senza spazi",
            "a codice fiscale of 16 capital letters and digits, or a provisional one of 11 digits, without spaces",
        )),
        Some("Iban") => Some((
            "un IBAN in maiuscolo e senza spazi: due lettere del paese, due cifre di controllo, da 11 a 30 caratteri",
            "an IBAN in capitals and without spaces: two letters of the country, two check digits, 11 to 30 characters",
        )),
        Some("Nome") => Some((
            "da 1 a 64 lettere maiuscole, anche accentate (À È É Ì Ò Ù), con spazio, apostrofo e trattino",
            "1 to 64 capital letters, accented ones (À È É Ì Ò Ù) included, with space, apostrophe and hyphen",
        )),
        Some("Codice") => Some((
            "da 1 a 16 caratteri tra lettere senza accento, cifre e . _ - /",
            "1 to 16 characters out of unaccented letters, digits and . _ - /",
        )),
        Some("Email") => Some((
            "un indirizzo di posta elettronica, nome@dominio, senza spazi, al più 254 caratteri",
            "an e-mail address, name@domain, without spaces, at most 254 characters",
        )),
        Some("Telefono") => Some((
            "da 6 a 15 cifre senza spazi, precedute da + se con prefisso internazionale",
            "6 to 15 digits without spaces, after a + when with an international prefix",
        )),
        Some("Protocollo") => Some((
            "un numero di protocollo: INPS-AUF-2021-000000010797",
            "a protocol number: INPS-AUF-2021-000000010797",
        )),
        Some("NumeroDomanda") => Some((
            "un numero intero da 1 a 999999999999",
            "an integer from 1 to 999999999999",
        )),
        Some("AnnoCompetenza") => Some(("un anno di quattro cifre: 2022", "a year of four digits: 2022")),
        Some("ProtocolloDSU") => Some((
            "il protocollo di una DSU: INPS-ISEE-2022-01234567P-00",
            "the protocol of a DSU: INPS-ISEE-2022-01234567P-00",
        )),
        Some("Impronta") => Some((
            "64 cifre esadecimali minuscole (SHA-256)",
            "64 lower-case hexadecimal digits (SHA-256)",
        )),
        _ => None,
    };
    if let Some((it, en)) = a_parole {
        return (it.to_owned(), en.to_owned());
    }
    if let Some(pattern) = &semplice.pattern {
        return (
            format!("un testo della forma {pattern}"),
            format!("a text of the form {pattern}"),
        );
    }
    let lunghezze = match (semplice.lunghezza, semplice.lunghezza_min, semplice.lunghezza_max) {
        (Some(esatta), _, _) => Some((format!("{esatta} caratteri"), format!("{esatta} characters"))),
        (None, Some(min), Some(max)) => Some((
            format!("da {min} a {max} caratteri"),
            format!("{min} to {max} characters"),
        )),
        (None, None, Some(max)) => Some((
            format!("al più {max} caratteri"),
            format!("at most {max} characters"),
        )),
        (None, Some(min), None) => Some((
            format!("almeno {min} caratteri"),
            format!("at least {min} characters"),
        )),
        (None, None, None) => None,
    };
    if let Some(lunghezze) = lunghezze {
        return lunghezze;
    }
    match (&semplice.minimo, &semplice.massimo) {
        (Some(min), Some(max)) => (
            format!("un numero da {min} a {max}"),
            format!("a number from {min} to {max}"),
        ),
        (Some(min), None) => (
            format!("un numero da {min} in su"),
            format!("a number from {min} up"),
        ),
        (None, Some(max)) => (format!("un numero fino a {max}"), format!("a number up to {max}")),
        (None, None) => di_base(&semplice.base),
    }
}

fn di_base(base: &str) -> (String, String) {
    let (it, en) = match base {
        "date" => (
            "una data esistente nella forma AAAA-MM-GG",
            "an existing date as YYYY-MM-DD",
        ),
        "dateTime" => (
            "data e ora nella forma AAAA-MM-GGThh:mm:ss, meglio se con il fuso (Z o +02:00)",
            "date and time as YYYY-MM-DDThh:mm:ss, better with its zone (Z or +02:00)",
        ),
        "boolean" => ("true o false", "true or false"),
        "base64Binary" => (
            "dati in base64, completi e con il riempimento (=)",
            "base64 data, complete and padded (=)",
        ),
        "integer" => ("un numero intero", "an integer"),
        "positiveInteger" => ("un numero intero da 1 in su", "an integer from 1 up"),
        "nonNegativeInteger" => ("un numero intero da 0 in su", "an integer from 0 up"),
        altro => {
            return (
                format!("un valore di tipo xs:{altro}"),
                format!("a value of type xs:{altro}"),
            );
        }
    };
    (it.to_owned(), en.to_owned())
}

/// `, trovato «…»` where the value may be repeated, else nothing.
fn trovato(elemento: &Elemento, semplice: &Semplice, valore: &str) -> (String, String) {
    let cifre = valore.chars().filter(char::is_ascii_digit).count();
    let lunghezza = valore.chars().count();
    let ripetibile = if PERSONALI.contains(&elemento.locale.as_str()) {
        false
    } else if !semplice.valori.is_empty() {
        // A codice fiscale or IBAN that slipped into the wrong field has more digits than any word of ours.
        lunghezza <= 32 && cifre < 3
    } else {
        match semplice.base.as_str() {
            "boolean" => lunghezza <= 8 && cifre < 3,
            "date" | "dateTime" => {
                lunghezza <= 32 && valore.chars().all(|c| "0123456789-+:/.TZ ".contains(c)) && cifre != 11
            }
            _ => false,
        }
    };
    if !ripetibile || valore.is_empty() {
        return (String::new(), String::new());
    }
    (format!(", trovato «{valore}»"), format!(", found \"{valore}\""))
}

/// Length in characters after white space was collapsed, which is what length facets count.
fn collapsed_len(valore: &str) -> usize {
    let mut lunghezza = 0;
    let mut spazio = false;
    for carattere in valore.chars() {
        let questo = is_spazio(carattere);
        if !(questo && spazio) {
            lunghezza += 1;
        }
        spazio = questo;
    }
    lunghezza
}

/// Elements whose values are somebody's data: never repeated, not even in part.
const PERSONALI: &[&str] = &[
    "CodiceFiscale",
    "Iban",
    "Nome",
    "Cognome",
    "Email",
    "Cellulare",
    "Indirizzo",
    "Numero",
    "DataNascita",
    "Operatore",
    "NomeFile",
];
