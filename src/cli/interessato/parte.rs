//! Whose a value is. A domanda holds several persons side by side; each is told what is theirs, and of the rest only that it is
//! there. The lists below say what *is* somebody's: a column that nobody put into one is nobody's, and stays covered.

use serde_json::{Map, Value};

use crate::domanda::quadro::{Quadro, Valori};
use crate::trace::persona::Persona;
use crate::trace::redact;

/// What of the domanda is of whoever asks.
const DEL_RICHIEDENTE: &[&str] = &[
    "richiedente",
    "richiedente_nome",
    "richiedente_cognome",
    "richiedente_email",
    "richiedente_cellulare",
    "richiedente_indirizzo",
    "presentata_da",
    "modalita",
    "iban",
    "intestato_richiedente",
    "dichiarazioni",
    "anno_competenza",
    "isee_presente",
    "protocollo_dsu",
    "anf_2021_percepito",
    "pagamento_strumento",
    "pagamento_intestatario",
];
/// Of the parent for whom a tutor asks.
const DEL_TUTELATO: &[&str] = &["genitore_tutelato", "presentata_da", "anno_competenza"];
/// What of a sheet is of its child.
const DEL_FIGLIO: &[&str] = &[
    "codice_fiscale",
    "data_nascita",
    "qualita",
    "disabile",
    "affido_condiviso",
    "nuova_nascita",
    "affidamento",
    "disabilita",
    "condizione_maggiorenne",
    "condizione_gruppo",
];
/// Of whoever asks for it.
const DELLA_SCHEDA_DEL_RICHIEDENTE: &[&str] = &["qualita", "affido_condiviso", "ripartizione"];
/// Of its other parent.
const DELL_ALTRO_GENITORE: &[&str] = &[
    "altro_genitore",
    "altro_genitore_modalita",
    "altro_genitore_iban",
    "pagamento_altro_genitore_strumento",
    "affido_condiviso",
    "ripartizione",
];

/// Which parts one person has in a domanda.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parti {
    pub(super) richiedente: bool,
    pub(super) tutelato: bool,
    /// Their own sheets.
    pub(super) figlio: Vec<u32>,
    /// The sheets whose other parent they are.
    pub(super) altro_genitore: Vec<u32>,
}

impl Parti {
    pub(super) fn of(quadro: &Quadro, persona: &Persona) -> Self {
        let is = |valori: &Valori, nome: &str| valori.testo(nome) == Some(persona.as_str());
        let posti = |nome: &str| {
            let sue = quadro.schede.iter().filter(|scheda| is(&scheda.valori, nome));
            sue.map(|scheda| scheda.posto).collect()
        };
        Self {
            richiedente: is(&quadro.domanda, "richiedente"),
            tutelato: is(&quadro.domanda, "genitore_tutelato"),
            figlio: posti("codice_fiscale"),
            altro_genitore: posti("altro_genitore"),
        }
    }

    /// In words.
    pub(super) fn nomi(&self) -> Vec<&'static str> {
        [
            (self.richiedente, "RICHIEDENTE"),
            (self.tutelato, "GENITORE_TUTELATO"),
            (!self.figlio.is_empty(), "FIGLIO"),
            (!self.altro_genitore.is_empty(), "ALTRO_GENITORE"),
        ]
        .into_iter()
        .filter_map(|(ha, nome)| ha.then_some(nome))
        .collect()
    }

    /// Whether they are told of a sheet at all.
    pub(super) fn sees(&self, posto: u32) -> bool {
        self.asks() || self.figlio.contains(&posto) || self.altro_genitore.contains(&posto)
    }

    /// Whether the domanda is theirs.
    pub(super) fn asks(&self) -> bool {
        self.richiedente || self.tutelato
    }

    /// To whom a payment of a sheet went, if to them.
    pub(super) fn is_paid(&self, posto: u32, beneficiario: &str) -> bool {
        match beneficiario {
            "RICHIEDENTE" => self.richiedente,
            "ALTRO_GENITORE" => self.altro_genitore.contains(&posto),
            _ => false,
        }
    }

    /// The values of the domanda that are theirs, and the names of the others.
    pub(super) fn domanda(&self, quadro: &Quadro) -> Sue {
        let valori = &quadro.domanda;
        // An account that is not in the name of who asks is somebody else's.
        let altrui = valori
            .get("intestato_richiedente")
            .is_some_and(|suo| serde_json::to_value(suo).ok() == Some(Value::Bool(false)))
            || valori
                .testo("pagamento_intestatario")
                .is_some_and(|chi| chi != "RICHIEDENTE");
        Sue::of(valori, |nome| {
            self.richiedente && DEL_RICHIEDENTE.contains(&nome) && !(altrui && nome == "iban")
                || self.tutelato && DEL_TUTELATO.contains(&nome)
        })
    }

    /// The same of a sheet.
    pub(super) fn scheda(&self, posto: u32, valori: &Valori) -> Sue {
        Sue::of(valori, |nome| {
            self.asks() && DELLA_SCHEDA_DEL_RICHIEDENTE.contains(&nome)
                || self.figlio.contains(&posto) && DEL_FIGLIO.contains(&nome)
                || self.altro_genitore.contains(&posto) && DELL_ALTRO_GENITORE.contains(&nome)
        })
    }
}

/// What is shown of some values.
pub(super) struct Sue {
    pub(super) valori: Map<String, Value>,
    /// The names of what is there and another's.
    pub(super) coperti: Vec<String>,
}

impl Sue {
    fn of(valori: &Valori, is_theirs: impl Fn(&str) -> bool) -> Self {
        let (mut sue, mut coperti) = (Map::new(), Vec::new());
        for (nome, valore) in valori.beside(&[]) {
            if is_theirs(nome) {
                sue.insert(
                    nome.to_owned(),
                    serde_json::to_value(valore).unwrap_or(Value::Null),
                );
            } else {
                coperti.push(nome.to_owned());
            }
        }
        Self { valori: sue, coperti }
    }
}

/// A sentence that somebody wrote: whoever it names is covered.
pub(super) fn sentence(testo: Option<&str>) -> Option<String> {
    testo.map(redact::mask)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domanda::quadro::SchedaNelQuadro;

    const MADRE: &str = "RSSMRA80A41H501Y";
    const PADRE: &str = "VRDLGU82B52F205E";
    const FIGLIO: &str = "80000000002";

    /// Every name that anybody has, each with a value that says whose it is.
    fn quadro() -> Quadro {
        let domanda = DEL_RICHIEDENTE
            .iter()
            .fold(Valori::default(), |valori, nome| {
                valori.with(nome, format!("madre {nome}"))
            })
            .with("richiedente", MADRE)
            .with("intestato_richiedente", true)
            .with("pagamento_intestatario", "RICHIEDENTE")
            .with("nucleo", vec![PADRE.to_owned()])
            .with("domani", "nessuno");
        let scheda = |posto, figlio: &str, padre: &str| SchedaNelQuadro {
            posto,
            presentata_il: jiff::Timestamp::UNIX_EPOCH,
            completata: false,
            valori: Valori::default()
                .with("codice_fiscale", figlio)
                .with("data_nascita", "2014-01-01")
                .with("altro_genitore", padre)
                .with("altro_genitore_iban", "padre iban")
                .with("ripartizione", "META"),
        };
        Quadro {
            domanda,
            schede: vec![
                scheda(1, FIGLIO, PADRE),
                scheda(2, "80000000010", "BNCNNA10T45H501Y"),
            ],
            ..Quadro::default()
        }
    }

    fn shown(chi: &str) -> (Parti, String) {
        let quadro = quadro();
        let parti = Parti::of(&quadro, &chi.parse().unwrap());
        let mut detto = serde_json::to_string(&parti.domanda(&quadro).valori).unwrap();
        for scheda in quadro.schede.iter().filter(|scheda| parti.sees(scheda.posto)) {
            let sue = parti.scheda(scheda.posto, &scheda.valori).valori;
            detto.push_str(&serde_json::to_string(&sue).unwrap());
        }
        (parti, detto)
    }

    #[test]
    fn each_is_told_what_is_theirs_and_of_the_others_nothing() {
        for (chi, suo, nomi) in [
            (MADRE, "madre iban", ["RICHIEDENTE"]),
            (PADRE, "padre iban", ["ALTRO_GENITORE"]),
            (FIGLIO, "2014-01-01", ["FIGLIO"]),
        ] {
            let (parti, detto) = shown(chi);
            assert_eq!(parti.nomi(), nomi);
            assert!(detto.contains(chi) && detto.contains(suo), "{detto}");
            for (altri, loro) in [(MADRE, "madre"), (PADRE, "padre"), (FIGLIO, "2014-01-01")] {
                assert!(
                    altri == chi || !detto.contains(altri) && !detto.contains(loro),
                    "{detto}"
                );
            }
            assert!(
                !detto.contains("nessuno"),
                "a name on no list is nobody's: {detto}"
            );
            assert!(!detto.contains("BNCNNA10T45H501Y") && !detto.contains("80000000010"));
        }
        assert_eq!(shown("BNCLRA85B50F205K").0, Parti::default());
    }

    #[test]
    fn an_account_in_another_name_is_not_told_to_who_asks() {
        let mut altrui = quadro();
        altrui.domanda = altrui.domanda.with("intestato_richiedente", false);
        let sue = Parti::of(&altrui, &MADRE.parse().unwrap()).domanda(&altrui);
        assert!(sue.coperti.contains(&"iban".to_owned()) && !sue.valori.contains_key("iban"));
    }
}
