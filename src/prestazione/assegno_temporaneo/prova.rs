//! What the tests of this folder share: a domanda written as fields, without the XML that this layer does not know.

use jiff::civil::Date;

use super::domanda::AssegnoTemporaneo;
use super::lettore::LettoreAssegnoTemporaneo;
use crate::domanda::{Ambiente, Contesto, Lettore};
use crate::protocollo::roma;

/// A domanda that breaks no rule.
pub(super) const VALIDA: &str = "
    Patronato { Codice PAT01 | Ufficio 001 | }
    Operatore operatore1
    Mandato { Numero 2021/371 | Data 2021-06-30 | }
    Richiedente { CodiceFiscale RSSMRA80A01H501U | Nome MARIO | Cognome ROSSI | }
    PresentataDa GENITORE
    Minori {
      Minore { Qualita GENITORE | CodiceFiscale BBBRRR14A01A001X | Disabile false | AffidoCondiviso false
        AltroGenitore { CodiceFiscale VRDLGU82B52F205E | }
        Ripartizione INTERO_RICHIEDENTE | }
      Minore { Qualita GENITORE | CodiceFiscale BNCNNA10T45H501Y | Disabile true | AffidoCondiviso true
        AltroGenitore { CodiceFiscale VRDLGU82B52F205E | }
        Ripartizione META_ENTRAMBI | }
    }
    Pagamento { Modalita CC | Iban IT60X0542811101000000123456 | IntestatoRichiedente true | }
    Dichiarazioni {
      Dichiarazione { Codice D1 | Valore true | }
      Dichiarazione { Codice D2 | Valore true | }
      Dichiarazione { Codice D3 | Valore 1 | }
      Dichiarazione { Codice D4 | Valore true | Scelta ITALIANO | }
      Dichiarazione { Codice D5 | Valore true | }
      Dichiarazione { Codice D6 | Valore true | }
      Dichiarazione { Codice D7 | Valore true | Scelta RESIDENZA | }
      Dichiarazione { Codice D8 | Valore true | }
    }
";

/// [`VALIDA`], read.
pub(super) fn valida() -> AssegnoTemporaneo {
    leggi(VALIDA).expect("complete")
}

/// Reads fields: `Nome {` opens an element, `}` closes it, `Nome testo` is a field; a line or `|` ends each.
pub(super) fn leggi(campi: &str) -> Option<AssegnoTemporaneo> {
    let mut lettore = LettoreAssegnoTemporaneo::default();
    racconta(&mut lettore, campi);
    lettore.assegno()
}

/// Tells a reader the fields of a text.
pub(super) fn racconta(lettore: &mut dyn Lettore, campi: &str) {
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
                lettore.valore(nome, testo.trim());
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
    }
}
