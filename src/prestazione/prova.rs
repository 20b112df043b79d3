//! What the tests of every prestazione share: fields told to a reader without XML, and a context to look at them in.

use jiff::civil::Date;

use crate::domanda::Originale;
use crate::domanda::allegato::ALLEGATO_BYTES_MAX;
use crate::domanda::lettura::base64;
use crate::domanda::{Ambiente, Contesto, Lettore};
use crate::protocollo::roma;

/// Tells a reader the fields of a text: `Nome {` opens an element, `}` closes it, `Nome testo` is a field; a line or
/// `|` ends each.
pub(crate) fn racconta(lettore: &mut dyn Lettore, campi: &str) {
    let mut aperti = Vec::new();
    let mut resto = campi;
    while let Some(parola) = next(&mut resto, |c: char| c.is_whitespace()) {
        match parola {
            "|" => {}
            "}" => lettore.chiudi(aperti.pop().unwrap_or_default()),
            nome if resto.trim_start_matches(' ').starts_with('{') => {
                resto = resto.trim_start_matches(' ').trim_start_matches('{');
                lettore.apri(nome);
                aperti.push(nome);
            }
            nome => {
                let testo = next(&mut resto, |c: char| "|\n".contains(c)).unwrap_or_default();
                lettore.apri(nome);
                match nome {
                    "Contenuto" => {
                        lettore.byte(nome, Originale::of(base64(testo.trim()).unwrap_or_default()));
                    }
                    _ => lettore.valore(nome, testo.trim()),
                }
                lettore.chiudi(nome);
            }
        }
    }
}

/// The text up to a mark, without the spaces before it; `None` at the end.
fn next<'a>(resto: &mut &'a str, fine: impl Fn(char) -> bool) -> Option<&'a str> {
    *resto = resto.trim_start();
    if resto.is_empty() {
        return None;
    }
    let (parola, dopo) = resto.split_at(resto.find(fine).unwrap_or(resto.len()));
    *resto = dopo;
    Some(parola)
}

/// A context at nine in the morning of a day, in Rome; offline.
pub(super) fn contesto(ambiente: Ambiente, giorno: Date) -> Contesto<'static> {
    let mattina = giorno
        .at(9, 0, 0, 0)
        .to_zoned(roma())
        .expect("a day of the calendar");
    Contesto {
        presentata_il: mattina.timestamp(),
        ambiente,
        ente: None,
        codice_ufficio: None,
        user_id: None,
        schede_vive: &[],
        domande_vive: &[],
        allegato_bytes_max: ALLEGATO_BYTES_MAX,
        pregresso: None,
    }
}
