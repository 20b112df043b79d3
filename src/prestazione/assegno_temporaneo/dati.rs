//! What a decree may change, and nothing else: days, texts, the first day of each rule. Whoever must follow a new
//! decree changes a line here, adds its source, and no code.

use jiff::civil::{Date, date};

use super::domanda::{CodiceDichiarazione, Scelta};
use crate::catalogo::Codice;
use crate::domanda::Mese;
use crate::domanda::atto::riesame::Termine;
use crate::domanda::dichiarazione::{self, SE_NON_RESA};
use crate::domanda::regole::{Finestra, Vigenza};

/// When a domanda may be presented: DL 79/2021 art. 1 and 3, INPS msg. 2371/2021. The measure ended on 31/12/2021 by
/// DL 79/2021 art. 1 and was prolonged by D.lgs 230/2021 art. 11 until the assegno unico starts (circ. INPS 23/2022
/// §8); domande were not taken again for it: the window did not move.
pub const FINESTRA: Finestra = Finestra {
    dal: date(2021, 7, 1),
    al: Some(date(2021, 12, 31)),
    fine_misura: Some(FINE_MISURA),
    rimedio: "Prima dell'apertura attendere; dopo la chiusura la prestazione non si può più chiedere: verificare se \
              spetta l'assegno unico e universale.",
};

/// Last day of the measure.
pub const FINE_MISURA: Date = date(2022, 2, 28);

/// Presented up to this day, it runs from [`PRIMO_MESE`]: 30/09/2021 by DL 79/2021 art. 3, moved by DL 132/2021.
pub const FINE_ARRETRATI: Date = date(2021, 10, 31);

/// The first month that is paid.
pub const PRIMO_MESE: Mese = Mese { anno: 2021, mese: 7 };

/// A child is a minor before this birthday (DL 79/2021 art. 1).
pub const MAGGIORE_ETA_ANNI: i32 = 18;

/// Within which days a decision can be asked to be looked at again. No source of this prestazione tells a term: it is that
/// of the administrative appeal (L. 88/1989 art. 46), proposed until the institute says another.
pub const TERMINI_RIESAME: &[Termine] = &[Termine {
    dal: date(1989, 3, 9),
    giorni: 90,
    fonte: "L. 88/1989 art. 46, per analogia [P]",
}];

/// The day from which each code warns and the day from which it refuses. Those which only warn (CF-101…) have
/// none. `SEMPRE`: also outside the measure, since sandbox clocks may stand anywhere.
///
/// Without the identifiers of people and accounts there is nothing to register: CF-001 to CF-003 and IBN-001 to
/// IBN-003 can have no other day.
pub const VIGENZE: &[(Codice, Vigenza)] = &[
    (Codice::Cf001, Vigenza::SEMPRE),
    (Codice::Cf002, Vigenza::SEMPRE),
    (Codice::Cf003, Vigenza::SEMPRE),
    (Codice::Cf004, Vigenza::SEMPRE),
    (Codice::Cf005, Vigenza::SEMPRE),
    (Codice::Cf006, Vigenza::SEMPRE),
    (Codice::Ibn001, Vigenza::SEMPRE),
    (Codice::Ibn002, Vigenza::SEMPRE),
    (Codice::Ibn003, Vigenza::SEMPRE),
    (Codice::Ibn004, Vigenza::SEMPRE),
    (Codice::Ibn005, Vigenza::SEMPRE),
    (Codice::Ibn006, Vigenza::SEMPRE),
    (Codice::Ibn007, Vigenza::SEMPRE),
    (Codice::Ibn008, Vigenza::SEMPRE),
    (Codice::Ibn009, Vigenza::SEMPRE),
    (Codice::Fin001, Vigenza::SEMPRE),
    (Codice::Dic001, Vigenza::SEMPRE),
    (Codice::Dic002, Vigenza::SEMPRE),
    (Codice::All001, Vigenza::SEMPRE),
    (Codice::All002, Vigenza::SEMPRE),
    (Codice::All003, Vigenza::SEMPRE),
    (Codice::All004, Vigenza::SEMPRE),
    (Codice::All005, Vigenza::SEMPRE),
    (Codice::Pat001, Vigenza::SEMPRE),
    (Codice::Pat002, Vigenza::SEMPRE),
    (Codice::Pat003, Vigenza::SEMPRE),
    (Codice::Pat004, Vigenza::SEMPRE),
    (Codice::Pat005, Vigenza::SEMPRE),
    (Codice::At001, Vigenza::SEMPRE),
    (Codice::At003, Vigenza::SEMPRE),
    (Codice::At006, Vigenza::SEMPRE),
    (Codice::At010, Vigenza::SEMPRE),
    (Codice::At011, Vigenza::SEMPRE),
    (Codice::At012, Vigenza::SEMPRE),
    (Codice::At013, Vigenza::SEMPRE),
    (Codice::At014, Vigenza::SEMPRE),
    (Codice::At015, Vigenza::SEMPRE),
    (Codice::At016, Vigenza::SEMPRE),
];

/// The days of a code; a code that was forgotten above refuses (and a test fails).
#[must_use]
pub fn vigenza(codice: Codice) -> Vigenza {
    VIGENZE
        .iter()
        .find(|(altro, _)| *altro == codice)
        .map_or(Vigenza::SEMPRE, |(_, vigenza)| *vigenza)
}

/// The text that the richiedente signs for a declaration.
pub type TestoDichiarazione = dichiarazione::Testo<CodiceDichiarazione, Scelta>;

/// Day on which DL 79/2021 came into force.
const DL_79: Date = date(2021, 6, 9);

/// The declarations of the on-line domanda, which the richiedente makes also for the other parent; versions of one
/// in order of day. D4: the on-line form asks for a permit of two years ("biennale") where the law came to say six
/// months; the form's text is the one that is signed.
pub const DICHIARAZIONI: &[TestoDichiarazione] = &[
    TestoDichiarazione {
        codice: CodiceDichiarazione::D1,
        versione: "2021-06",
        dal: DL_79,
        testo: "il nucleo familiare non percepisce il Reddito di cittadinanza",
        scelte: &[],
        se_non_resa: "Se il nucleo percepisce il Reddito di cittadinanza la domanda non è dovuta e non va inviata: \
                      l'assegno è corrisposto d'ufficio. Altrimenti inviare D1 con Valore true.",
    },
    TestoDichiarazione {
        codice: CodiceDichiarazione::D2,
        versione: "2021-06",
        dal: DL_79,
        testo: "per i minori indicati, nel periodo richiesto, né il richiedente né altri percepiscono \
                l'assegno per il nucleo familiare",
        scelte: &[],
        se_non_resa: SE_NON_RESA,
    },
    TestoDichiarazione {
        codice: CodiceDichiarazione::D3,
        versione: "2021-06",
        dal: DL_79,
        testo: "il nucleo familiare è in possesso di un ISEE in corso di validità",
        scelte: &[],
        se_non_resa: SE_NON_RESA,
    },
    TestoDichiarazione {
        codice: CodiceDichiarazione::D4,
        versione: "2021-06",
        dal: DL_79,
        testo: "cittadinanza italiana o di uno Stato dell'Unione europea, o suo familiare con diritto di \
                soggiorno, oppure permesso di soggiorno UE per soggiornanti di lungo periodo, o per motivi di \
                lavoro o di ricerca di durata almeno biennale",
        scelte: &[
            Scelta::Italiano,
            Scelta::Ue,
            Scelta::FamiliareUe,
            Scelta::ExtraUeLungoPeriodo,
            Scelta::ExtraUeLavoroRicerca,
        ],
        se_non_resa: SE_NON_RESA,
    },
    TestoDichiarazione {
        codice: CodiceDichiarazione::D5,
        versione: "2021-06",
        dal: DL_79,
        testo: "soggetto al pagamento dell'imposta sul reddito in Italia",
        scelte: &[],
        se_non_resa: SE_NON_RESA,
    },
    TestoDichiarazione {
        codice: CodiceDichiarazione::D6,
        versione: "2021-06",
        dal: DL_79,
        testo: "residente e domiciliato in Italia con i figli a carico, fino al compimento del diciottesimo \
                anno d'età, per tutta la durata del beneficio",
        scelte: &[],
        se_non_resa: SE_NON_RESA,
    },
    TestoDichiarazione {
        codice: CodiceDichiarazione::D7,
        versione: "2021-06",
        dal: DL_79,
        testo: "residente in Italia per il periodo minimo richiesto, oppure titolare di un contratto di lavoro \
                di durata almeno semestrale",
        scelte: &[Scelta::Residenza, Scelta::Contratto],
        se_non_resa: SE_NON_RESA,
    },
    TestoDichiarazione {
        codice: CodiceDichiarazione::D8,
        versione: "2021-06",
        dal: DL_79,
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
    "Richiedente",
    "PresentataDa",
    "GenitoreTutelato",
    "Minori",
    "Pagamento",
    "Dichiarazioni",
    "Allegati",
    "Numero",
    "Data",
    "Minore",
    "Dichiarazione",
    "Allegato",
    "Qualita",
    "CodiceFiscale",
    "Nome",
    "Cognome",
    "Contatti",
    "Email",
    "Cellulare",
    "Indirizzo",
    "DataNascita",
    "Disabile",
    "AffidoCondiviso",
    "AltroGenitore",
    "AltroGenitoreAssente",
    "Ripartizione",
    "Modalita",
    "Iban",
    "IntestatoRichiedente",
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
    use crate::catalogo::{CODICI, Genere};

    #[test]
    fn every_rule_that_refuses_has_its_days_once() {
        for codice in CODICI {
            let di_at = ["CF-", "IBN-", "FIN-", "DIC-", "ALL-", "PAT-", "AT-"]
                .iter()
                .any(|prefisso| codice.as_str().starts_with(prefisso));
            let attese = usize::from(di_at && codice.voce().genere == Genere::Regola);
            let trovate = VIGENZE.iter().filter(|(altro, _)| altro == codice).count();
            assert_eq!(trovate, attese, "{codice}");
        }
    }

    #[test]
    fn a_rule_warns_before_it_refuses_and_what_cannot_be_read_always_refuses() {
        for (codice, vigenza) in VIGENZE {
            assert!(vigenza.avvisa_dal <= vigenza.rifiuta_dal, "{codice}");
        }
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
    }

    #[test]
    fn every_declaration_has_a_text_and_versions_go_forward() {
        for codice in CodiceDichiarazione::TUTTI {
            let versioni: Vec<_> = DICHIARAZIONI
                .iter()
                .filter(|testo| testo.codice == *codice)
                .collect();
            assert!(!versioni.is_empty(), "{}", codice.as_str());
            assert!(versioni.is_sorted_by(|prima, dopo| prima.dal < dopo.dal));
            let prima = dichiarazione::in_vigore(DICHIARAZIONI, *codice, date(2021, 1, 1));
            assert_eq!((prima.codice, prima.versione), (*codice, versioni[0].versione));
        }
    }

    #[test]
    fn the_days_follow_each_other() {
        let chiusura = FINESTRA.al.unwrap();
        let giorni = [DL_79, FINESTRA.dal, FINE_ARRETRATI, chiusura, FINE_MISURA];
        assert!(giorni.is_sorted());
        assert_eq!(
            (PRIMO_MESE.anno, PRIMO_MESE.mese),
            (FINESTRA.dal.year(), FINESTRA.dal.month())
        );
    }

    #[test]
    fn the_names_are_those_of_the_xsd_brothers_in_its_order() {
        let xsd = include_str!("../../../xsd/assegno-temporaneo-v1.xsd");
        for campo in CAMPI {
            assert!(xsd.contains(&format!("<xs:element name=\"{campo}\"")), "{campo}");
        }
        for fratelli in [
            [
                "Patronato",
                "Operatore",
                "Mandato",
                "Richiedente",
                "PresentataDa",
                "GenitoreTutelato",
                "Minori",
            ]
            .as_slice(),
            &["Minori", "Pagamento", "Dichiarazioni", "Allegati"],
            &["Codice", "Ufficio"],
            &["Numero", "Data"],
            &[
                "Qualita",
                "CodiceFiscale",
                "DataNascita",
                "Disabile",
                "AffidoCondiviso",
                "AltroGenitore",
                "AltroGenitoreAssente",
                "Ripartizione",
            ],
            &["Modalita", "Iban", "IntestatoRichiedente"],
            &["Codice", "Valore", "Scelta"],
            &["Tipo", "NomeFile", "TipoMime", "Impronta", "Contenuto"],
        ] {
            let posti: Vec<_> = fratelli
                .iter()
                .map(|nome| CAMPI.iter().position(|campo| campo == nome))
                .collect();
            assert!(
                posti.is_sorted() && posti.iter().all(Option::is_some),
                "{fratelli:?}"
            );
        }
    }
}
