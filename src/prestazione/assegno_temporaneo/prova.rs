//! What the tests of this folder share: a domanda written as fields, without the XML that this layer does not know.

use super::domanda::AssegnoTemporaneo;
use super::lettore::LettoreAssegnoTemporaneo;
pub(super) use crate::prestazione::prova::{contesto, racconta};

/// A domanda that breaks no rule.
pub(crate) const VALIDA: &str = "
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

/// Reads fields, written as [`racconta`] takes them.
pub(super) fn leggi(campi: &str) -> Option<AssegnoTemporaneo> {
    let mut lettore = LettoreAssegnoTemporaneo::default();
    racconta(&mut lettore, campi);
    lettore.assegno()
}
