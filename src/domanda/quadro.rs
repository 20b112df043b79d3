//! A domanda with all its plain values, by the names of their columns: for the few acts that must look at more than its
//! state. What was sent and what is kept become the same thing here, so that they can be held against each other
//! whatever the prestazione.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;

use super::dettagli::Valore;
use super::{Avente, CodiceFiscale, Dettagli, Dichiarazione, Fascicolo, Iban, Scheda};

/// A domanda as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quadro {
    /// Its own values.
    pub domanda: Valori,
    /// Its sheets, in order.
    pub schede: Vec<SchedaNelQuadro>,
    /// SHA-256 of the documents that came with it, and with the acts about it.
    pub allegati: BTreeSet<[u8; 32]>,
}

/// A sheet as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedaNelQuadro {
    /// Place in the domanda, from 1.
    pub posto: u32,
    /// When the request that brought it had wholly come: the domanda's, or that of the act that added it.
    pub presentata_il: Timestamp,
    /// Whether its other parent has said, by an act of their own, how the sum is split and their half is paid.
    pub completata: bool,
    /// Its values.
    pub valori: Valori,
}

/// Plain values by name: the columns' and those of `dettagli` beside each other. What is not there is left out. Masked in
/// `Debug`: names alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Valori(BTreeMap<String, Valore>);

/// The columns of `domande` that [`Valori`] holds; every other name is one of its `dettagli`.
pub const COLONNE_DELLA_DOMANDA: &[&str] = &[
    "richiedente",
    "richiedente_nome",
    "richiedente_cognome",
    "richiedente_email",
    "richiedente_cellulare",
    "richiedente_indirizzo",
    "presentata_da",
    "genitore_tutelato",
    "modalita",
    "iban",
    "intestato_richiedente",
    "dichiarazioni",
];

/// The columns of `schede` that [`Valori`] holds; every other name is one of its `dettagli`. The expected first month is
/// left out: it follows from the others.
pub const COLONNE_DELLA_SCHEDA: &[&str] = &[
    "codice_fiscale",
    "data_nascita",
    "qualita",
    "disabile",
    "affido_condiviso",
    "altro_genitore",
    "altro_genitore_assente",
    "ripartizione",
    "altro_genitore_modalita",
    "altro_genitore_iban",
];

impl Quadro {
    /// The sheet at a place.
    #[must_use]
    pub fn scheda(&self, posto: u32) -> Option<&SchedaNelQuadro> {
        self.schede.iter().find(|scheda| scheda.posto == posto)
    }

    /// Whether it is the one domanda that this avente may have.
    #[must_use]
    pub fn is_of(&self, avente: &Avente) -> bool {
        let nomi = ["genitore_tutelato", "richiedente"];
        let chi = nomi.iter().find_map(|nome| self.domanda.testo(nome));
        let qualita = self.domanda.testo("presentata_da");
        chi == Some(avente.codice_fiscale.as_str())
            && qualita.is_some_and(|qualita| avente.qualita.contains(&qualita))
    }
}

impl Valori {
    /// The values of a domanda that was sent.
    #[must_use]
    pub fn of_domanda(fascicolo: &Fascicolo) -> Self {
        let (richiedente, pagamento) = (&fascicolo.richiedente, &fascicolo.pagamento);
        Self::default()
            .with("richiedente", richiedente.codice_fiscale.as_str())
            .with("richiedente_nome", richiedente.nome.as_str())
            .with("richiedente_cognome", richiedente.cognome.as_str())
            .with_option("richiedente_email", richiedente.email.as_deref())
            .with_option("richiedente_cellulare", richiedente.cellulare.as_deref())
            .with_option("richiedente_indirizzo", richiedente.indirizzo.as_deref())
            .with("presentata_da", fascicolo.presentata_da)
            .with_option(
                "genitore_tutelato",
                fascicolo.genitore_tutelato.as_ref().map(CodiceFiscale::as_str),
            )
            .with("modalita", pagamento.modalita)
            .with_option("iban", pagamento.iban.as_ref().map(Iban::as_str))
            .with_option("intestato_richiedente", pagamento.intestato_richiedente)
            .with("dichiarazioni", rese(&fascicolo.dichiarazioni))
            .with_dettagli(&fascicolo.dettagli)
    }

    /// The values of a sheet that was sent.
    #[must_use]
    pub fn of_scheda(scheda: &Scheda) -> Self {
        let altra_meta = scheda.pagamento_altro_genitore.as_ref();
        Self::default()
            .with("codice_fiscale", scheda.codice_fiscale.as_str())
            .with_option("data_nascita", scheda.data_nascita.map(|data| data.to_string()))
            .with("qualita", scheda.qualita)
            .with("disabile", scheda.disabile)
            .with("affido_condiviso", scheda.affido_condiviso)
            .with_option(
                "altro_genitore",
                scheda.altro_genitore.as_ref().map(CodiceFiscale::as_str),
            )
            .with_option("altro_genitore_assente", scheda.altro_genitore_assente)
            .with("ripartizione", scheda.ripartizione)
            .with_option("altro_genitore_modalita", altra_meta.map(|altra| altra.modalita))
            .with_option(
                "altro_genitore_iban",
                altra_meta.and_then(|altra| altra.iban.as_ref()).map(Iban::as_str),
            )
            .with_dettagli(&scheda.dettagli)
    }

    /// The same with one more value.
    #[must_use]
    pub fn with(mut self, nome: &str, valore: impl Into<Valore>) -> Self {
        self.0.insert(nome.to_owned(), valore.into());
        self
    }

    /// The same with one more value, where there is one.
    #[must_use]
    pub fn with_option(self, nome: &str, valore: Option<impl Into<Valore>>) -> Self {
        match valore {
            Some(valore) => self.with(nome, valore),
            None => self,
        }
    }

    fn with_dettagli(mut self, dettagli: &Dettagli) -> Self {
        for (nome, valore) in dettagli.iter() {
            self.0.insert(nome.to_owned(), valore.clone());
        }
        self
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, nome: &str) -> Option<&Valore> {
        self.0.get(nome)
    }

    /// The text of a name.
    #[must_use]
    pub fn testo(&self, nome: &str) -> Option<&str> {
        match self.get(nome)? {
            Valore::Testo(testo) => Some(testo),
            Valore::Booleano(_) | Valore::Numero(_) | Valore::Elenco(_) => None,
        }
    }

    /// Takes over what another has under these names, where this one has nothing.
    pub fn keep_from(&mut self, altri: &Self, nomi: &[&str]) {
        for nome in nomi {
            if let Some(valore) = altri.get(nome)
                && !self.0.contains_key(*nome)
            {
                self.0.insert((*nome).to_owned(), valore.clone());
            }
        }
    }

    /// Has under these names what another has, and nothing else.
    pub fn take_from(&mut self, altri: &Self, nomi: &[&str]) {
        self.0.retain(|nome, _| !nomi.contains(&nome.as_str()));
        self.keep_from(altri, nomi);
    }

    /// The names under which the two differ, in alphabetical order.
    #[must_use]
    pub fn differences<'a>(&'a self, altri: &'a Self) -> Vec<&'a str> {
        let nomi: BTreeSet<&str> = self.0.keys().chain(altri.0.keys()).map(String::as_str).collect();
        nomi.into_iter()
            .filter(|nome| self.get(nome) != altri.get(nome))
            .collect()
    }

    /// What is no column of these: the `dettagli`.
    pub fn beside<'a>(&'a self, colonne: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a Valore)> {
        self.0
            .iter()
            .map(|(nome, valore)| (nome.as_str(), valore))
            .filter(|(nome, _)| !colonne.contains(nome))
    }
}

impl fmt::Debug for Valori {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// Declarations as one value: each a line of code, version of its text and sub-choice, in order of code.
fn rese(dichiarazioni: &[Dichiarazione]) -> Vec<String> {
    let rese = dichiarazioni.iter();
    let mut rese: Vec<String> = rese
        .map(|resa| resa_as_line(resa.codice, resa.versione_testo, resa.scelta))
        .collect();
    rese.sort_unstable();
    rese
}

/// One declaration as a line: three words at most, since codes, versions and sub-choices have no spaces.
#[must_use]
pub fn resa_as_line(codice: &str, versione_testo: &str, scelta: Option<&str>) -> String {
    [codice, versione_testo]
        .into_iter()
        .chain(scelta)
        .collect::<Vec<_>>()
        .join(" ")
}

/// A line back as code, version of the text and sub-choice.
#[must_use]
pub fn resa_from_line(riga: &str) -> (&str, &str, Option<&str>) {
    let mut parole = riga.splitn(3, ' ');
    let mut next = || parole.next();
    (next().unwrap_or_default(), next().unwrap_or_default(), next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_differ_by_the_names_of_what_differs() {
        let vecchi = Valori::default()
            .with("qualita", "GENITORE")
            .with("disabile", false);
        let nuovi = vecchi.clone().with("disabile", true).with("altro_genitore", "…");
        assert_eq!(vecchi.differences(&nuovi), ["altro_genitore", "disabile"]);
        assert_eq!(nuovi.differences(&nuovi), Vec::<&str>::new());
    }

    #[test]
    fn what_is_not_told_is_kept_only_where_it_is_asked_for() {
        let vecchi = Valori::default()
            .with("altro_genitore_modalita", "CC")
            .with("qualita", "GENITORE");
        let mut nuovi = Valori::default();
        nuovi.keep_from(&vecchi, &["altro_genitore_modalita", "altro_genitore_iban"]);
        assert_eq!(nuovi, Valori::default().with("altro_genitore_modalita", "CC"));
    }

    #[test]
    fn a_declaration_goes_there_and_back() {
        for resa in [("D1", "2021-06", None), ("D4", "2021-06", Some("ITALIANO"))] {
            assert_eq!(resa_from_line(&resa_as_line(resa.0, resa.1, resa.2)), resa);
        }
    }

    #[test]
    fn nobody_reads_people_in_a_log() {
        let valori = Valori::default().with("iban", "IT60X0542811101000000123456");
        assert_eq!(format!("{valori:?}"), r#"["iban"]"#);
    }
}
