//! What the tests of this folder share: a domanda written as fields, without the XML that this layer does not know.

use super::domanda::AssegnoUnico;
use super::lettore::LettoreAssegnoUnico;
pub(super) use crate::prestazione::prova::{contesto, racconta};

/// A domanda that breaks no rule: a minor with half each and both payments, and one of seventeen
/// for the whole.
pub(crate) const VALIDA: &str = "
    Patronato { Codice PAT01 | Ufficio 001 | }
    Operatore operatore1
    Mandato { Numero 2022/371 | Data 2022-01-31 | }
    AnnoCompetenza 2022
    Richiedente { CodiceFiscale RSSMRA80A01H501U | Nome MARIO | Cognome ROSSI | Ruolo GENITORE | }
    Figli {
      Figlio { CodiceFiscale BBBRRR14A01A001X
        AltroGenitore { CodiceFiscale VRDLGU82B52F205E | }
        SituazioneGenitori CONIUGATI_CONVIVENTI | Ripartizione B | Disabilita GRAVE | ACarico true
        Maggiorazioni { EntrambiRedditoLavoro true | }
      }
      Figlio { CodiceFiscale BNCLCU04M15H501H
        AltroGenitoreAssente DECEDUTO
        SituazioneGenitori NON_CONIUGATI | Affidamento NESSUNO | Ripartizione A | Disabilita NESSUNA
        ACarico true | }
    }
    Isee { Presente true | ProtocolloDSU INPS-ISEE-2022-01234567P-00 | }
    PagamentoRichiedente { Modalita IBAN
      Conto { Strumento CC_BANCARIO | Iban IT60X0542811101000000123456
        Intestatario { Qualita RICHIEDENTE | CodiceFiscale RSSMRA80A01H501U | } } }
    PagamentoAltroGenitore { CodiceFiscale VRDLGU82B52F205E | Modalita CONTANTE_POSTE | }
    Dichiarazioni {
      Dichiarazione { Codice U1 | Valore true | Scelta ITALIANO | }
      Dichiarazione { Codice U2 | Valore true | }
      Dichiarazione { Codice U3 | Valore 1 | }
      Dichiarazione { Codice U4 | Valore true | Scelta RESIDENZA | }
      Dichiarazione { Codice U5 | Valore true | }
      Dichiarazione { Codice U6 | Valore true | }
      Dichiarazione { Codice U7 | Valore true | }
    }
";

/// A domanda of an adult child for itself, orphan of both parents, that breaks no rule.
pub(super) const PER_SE: &str = "
    Patronato { Codice PAT01 | Ufficio 001 | }
    Operatore operatore1
    Mandato { Numero 2022/372 | Data 2022-08-31 | }
    Richiedente { CodiceFiscale BNCLCU04M15H501H | Nome LUCA | Cognome BIANCHI | Ruolo FIGLIO_MAGGIORENNE | }
    Figli {
      Figlio { CodiceFiscale BNCLCU04M15H501H
        SituazioneGenitori ORFANO_ENTRAMBI | Ripartizione A | Disabilita NESSUNA
        CondizioneMaggiorenne LAVORO | RedditoSottoSoglia true | ACarico true | }
    }
    PagamentoRichiedente { Modalita CONTANTE_POSTE | }
    Dichiarazioni {
      Dichiarazione { Codice U1 | Valore true | }
      Dichiarazione { Codice U2 | Valore true | }
      Dichiarazione { Codice U3 | Valore true | }
      Dichiarazione { Codice U4 | Valore true | }
      Dichiarazione { Codice U5 | Valore true | }
      Dichiarazione { Codice U6 | Valore true | }
      Dichiarazione { Codice U7 | Valore true | }
    }
";

/// Reads fields, written as [`racconta`] takes them.
pub(super) fn leggi(campi: &str) -> Option<AssegnoUnico> {
    let mut lettore = LettoreAssegnoUnico::default();
    racconta(&mut lettore, campi);
    lettore.assegno()
}
