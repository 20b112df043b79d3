//! What a decree may change, and nothing else: days, texts, the first day of each rule. Whoever must follow a new
//! decree changes a line here, adds its source, and no code.

use jiff::civil::{Date, date};

use super::domanda::{CodiceDichiarazione, Scelta};
use crate::catalogo::Codice;
use crate::domanda::Mese;
use crate::domanda::atto::riesame::Termine;
use crate::domanda::dichiarazione::{self, SE_NON_RESA};
use crate::domanda::regole::{Finestra, Vigenza};

/// When a domanda may be presented: from 1 January 2022 (D.lgs 230/2021 art. 6 c. 1), in every month of every year.
pub const FINESTRA: Finestra = Finestra {
    dal: date(2022, 1, 1),
    al: None,
    fine_misura: None,
    rimedio: "Attendere l'apertura; fino a febbraio 2022 spettano le misure precedenti.",
};

/// Within which days a decision can be asked to be looked at again. No source of this prestazione tells a term: it is that
/// of the administrative appeal (L. 88/1989 art. 46), proposed until the institute says another.
pub const TERMINI_RIESAME: &[Termine] = &[Termine {
    dal: date(1989, 3, 9),
    giorni: 90,
    fonte: "L. 88/1989 art. 46, per analogia [P]",
}];

/// The first month that is paid: each year runs from March to February.
pub const PRIMO_MESE: Mese = Mese { anno: 2022, mese: 3 };

/// Presented up to the end of this month, it runs from March with arrears (D.lgs 230/2021 art. 6 c. 2).
pub const ULTIMO_MESE_DI_ARRETRATI: i8 = 6;

/// A birth told within so many days is paid from the seventh month of pregnancy.
pub const NASCITA_COMUNICATA_GIORNI: i32 = 120;

/// The seventh month is so many before that of birth, which is the ninth.
pub const MESI_DI_GRAVIDANZA_PAGATI: i32 = 2;

/// A child is a minor before this birthday (D.lgs 230/2021 art. 2).
pub const MAGGIORE_ETA_ANNI: i32 = 18;

/// A child who is not disabled has no right from this birthday on (D.lgs 230/2021 art. 2 c. 1 b).
pub const ETA_MASSIMA_ANNI: i32 = 21;

/// The year whose domande are taken on a day: the calendar's, from the first one of the measure.
#[must_use]
pub fn anno_aperto(oggi: Date) -> i16 {
    oggi.year().max(PRIMO_MESE.anno)
}

/// The codes that do not refuse on every day: the day from which each warns and the day from which it refuses. None
/// yet; a rule added later begins here, so that the patronati's programs can follow.
pub const VIGENZE: &[(Codice, Vigenza)] = &[];

/// The days of a code.
#[must_use]
pub fn vigenza(codice: Codice) -> Vigenza {
    VIGENZE
        .iter()
        .find(|(altro, _)| *altro == codice)
        .map_or(Vigenza::SEMPRE, |(_, vigenza)| *vigenza)
}

/// The text that the richiedente signs for a declaration.
pub type TestoDichiarazione = dichiarazione::Testo<CodiceDichiarazione, Scelta>;

/// Day from which D.lgs 230/2021 takes domande.
const DLGS_230: Date = date(2022, 1, 1);

/// The declarations of the on-line domanda (D.lgs 230/2021 art. 3; circ. INPS 23/2022 §1); versions of one in order of
/// day.
pub const DICHIARAZIONI: &[TestoDichiarazione] = &[
    TestoDichiarazione {
        codice: CodiceDichiarazione::U1,
        versione: "2022-01",
        dal: DLGS_230,
        testo: "cittadinanza italiana o di uno Stato dell'Unione europea, o suo familiare con diritto di \
                soggiorno; oppure permesso di soggiorno UE per soggiornanti di lungo periodo, permesso unico di \
                lavoro per più di sei mesi, o permesso per motivi di ricerca per più di sei mesi",
        scelte: &[
            Scelta::Italiano,
            Scelta::Ue,
            Scelta::FamiliareUe,
            Scelta::ExtraUeLungoPeriodo,
            Scelta::PermessoUnicoLavoro,
            Scelta::PermessoRicerca,
        ],
        se_non_resa: SE_NON_RESA,
    },
    TestoDichiarazione {
        codice: CodiceDichiarazione::U2,
        versione: "2022-01",
        dal: DLGS_230,
        testo: "soggetto al pagamento dell'imposta sul reddito in Italia",
        scelte: &[],
        se_non_resa: SE_NON_RESA,
    },
    TestoDichiarazione {
        codice: CodiceDichiarazione::U3,
        versione: "2022-01",
        dal: DLGS_230,
        testo: "residente e domiciliato in Italia",
        scelte: &[],
        se_non_resa: SE_NON_RESA,
    },
    TestoDichiarazione {
        codice: CodiceDichiarazione::U4,
        versione: "2022-01",
        dal: DLGS_230,
        testo: "residente in Italia da almeno due anni, anche non continuativi, oppure titolare di un contratto \
                di lavoro a tempo indeterminato o di durata almeno semestrale",
        scelte: &[Scelta::Residenza, Scelta::Contratto],
        se_non_resa: SE_NON_RESA,
    },
    TestoDichiarazione {
        codice: CodiceDichiarazione::U5,
        versione: "2022-01",
        dal: DLGS_230,
        testo: "ciascun figlio per cui si chiede l'assegno è a carico",
        scelte: &[],
        se_non_resa: SE_NON_RESA,
    },
    TestoDichiarazione {
        codice: CodiceDichiarazione::U6,
        versione: "2022-01",
        dal: DLGS_230,
        testo: "quanto dichiarato è vero, nella consapevolezza delle sanzioni per le dichiarazioni mendaci (DPR \
                445/2000 art. 46, 47 e 76)",
        scelte: &[],
        se_non_resa: SE_NON_RESA,
    },
    TestoDichiarazione {
        codice: CodiceDichiarazione::U7,
        versione: "2022-01",
        dal: DLGS_230,
        testo: "presa visione dell'informativa sul trattamento dei dati personali",
        scelte: &[],
        se_non_resa: SE_NON_RESA,
    },
];

/// The element names of the domanda, brothers in the order of the XSD: the order in which findings are told.
pub const CAMPI: &[&str] = &[
    "Domanda",
    "DataPratica",
    "Patronato",
    "Operatore",
    "Mandato",
    "AnnoCompetenza",
    "Richiedente",
    "GenitoreTutelato",
    "Figli",
    // Before the payment, as where it is added alone.
    "Figlio",
    "Isee",
    "Nucleo",
    "Anf2021Percepito",
    "PagamentoRichiedente",
    "PagamentoAltroGenitore",
    "Dichiarazioni",
    "Allegati",
    "Numero",
    "Data",
    "Componente",
    "Dichiarazione",
    "Allegato",
    "Presente",
    "ProtocolloDSU",
    "Qualita",
    "CodiceFiscale",
    "Nome",
    "Cognome",
    "Ruolo",
    "Contatti",
    "Email",
    "Cellulare",
    "Indirizzo",
    "DataNascita",
    "NuovaNascita",
    "AltroGenitore",
    "AltroGenitoreAssente",
    "SituazioneGenitori",
    "Affidamento",
    "Ripartizione",
    "Disabilita",
    "CondizioneMaggiorenne",
    "RedditoSottoSoglia",
    "ACarico",
    "Maggiorazioni",
    "MadreUnder21",
    "EntrambiRedditoLavoro",
    "Modalita",
    "Conto",
    "Strumento",
    "Iban",
    "Intestatario",
    "Codice",
    "Ufficio",
    "Valore",
    "Scelta",
    "Tipo",
    "NomeFile",
    "TipoMime",
    "Impronta",
    "Contenuto",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_always_refuses() {
        for codice in [
            Codice::Cf001,
            Codice::Cf002,
            Codice::Cf003,
            Codice::Ibn001,
            Codice::Ibn002,
            Codice::Ibn003,
        ] {
            assert_eq!(vigenza(codice), Vigenza::SEMPRE, "{codice}");
        }
        for (codice, vigenza) in VIGENZE {
            assert!(vigenza.avvisa_dal <= vigenza.rifiuta_dal, "{codice}");
        }
    }

    #[test]
    fn every_declaration_has_a_text() {
        for codice in CodiceDichiarazione::TUTTI {
            let testo = dichiarazione::in_vigore(DICHIARAZIONI, *codice, date(2021, 1, 1));
            assert_eq!((testo.codice, testo.versione), (*codice, "2022-01"));
        }
    }

    #[test]
    fn the_year_is_the_calendars_from_2022_on() {
        let anni = [date(2021, 7, 15), date(2022, 12, 31), date(2023, 1, 1)].map(anno_aperto);
        assert_eq!(anni, [2022, 2022, 2023]);
    }

    #[test]
    fn the_names_are_those_of_the_xsd_brothers_in_its_order() {
        let xsd = include_str!("../../../xsd/assegno-unico-v1.xsd");
        for campo in CAMPI {
            assert!(xsd.contains(&format!("<xs:element name=\"{campo}\"")), "{campo}");
        }
        // Every complex type of the domanda, by the names that stand in it before the next one begins.
        for tipo in [
            "Domanda",
            "Richiedente",
            "Figlio",
            "Isee",
            "PagamentoAltroGenitore",
            "Conto",
            "Allegato",
        ] {
            let (_, dopo) = xsd
                .split_once(&format!("<xs:complexType name=\"{tipo}\">"))
                .unwrap();
            // Elements at the depth of the type's own sequence: six spaces, eight within a choice.
            let fratelli: Vec<usize> = dopo
                .lines()
                .take_while(|riga| *riga != "  </xs:complexType>")
                .filter(|riga| {
                    riga.starts_with("      <xs:element")
                        || riga.starts_with("        <xs:element name=\"AltroG")
                })
                .map(|riga| {
                    let nome = riga.split('"').nth(1).unwrap();
                    CAMPI
                        .iter()
                        .position(|campo| *campo == nome)
                        .unwrap_or_else(|| panic!("{nome}"))
                })
                .collect();
            assert!(fratelli.len() > 1 && fratelli.is_sorted(), "{tipo} {fratelli:?}");
        }
    }
}
