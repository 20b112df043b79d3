//! What is counted of messages: each once, where its record ends. Every label's value is looked up among our own words, so a
//! record can say what it likes: what is not among them counts as `nessuno`.

use std::time::Duration;

use super::Traccia;
use crate::catalogo::{CODICI, Codice};
use crate::metriche::{
    BYTE_ENTRATI, BYTE_USCITI, Conti, DURATA, IN_CORSO, Istogrammi, MESSAGGI, PASSI_SECONDS, RIFIUTI,
    RILIEVI, TEMPI_US, Testo,
};
use crate::prestazione::{Operazione, PRESTAZIONI};

/// The steps of the way, by the names that `tempi_us` has.
pub const PASSI: &[&str] = &[
    "busta",
    "accesso",
    "ricezione",
    "lettura",
    "ripetizione",
    "regole",
    "registrazione",
    "risposta",
];
/// By which way messages come; lots are worked beside it.
const CANALI: &[&str] = &["MODI", "PDD"];
/// How messages end.
pub const ESITI: &[&str] = &[
    "REGISTRATA",
    "RIPETUTA",
    "RIFIUTATA",
    "AMMISSIBILE",
    "ACCOLTO",
    "RISPOSTA",
    "FAULT",
    "RIFIUTATA_HTTP",
    "INTERROTTA",
];
/// A message that did not come to say it.
const NESSUNO: &str = "nessuno";

/// The counters of messages as they stand: sums since the process began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuadroMessaggi {
    /// How many ended so, in the order of [`ESITI`]; last, those that did not come to say it.
    pub conclusi: Vec<u64>,
    /// How many took no longer than each of [`TEMPI_US`]; last, how many there were.
    pub durata: Vec<u64>,
    /// How many were refused by each of [`CODICI`].
    pub rifiuti: Vec<u64>,
}

/// The counters of messages.
#[derive(Debug)]
pub struct ContiMessaggi {
    iniziati: Conti,
    conclusi: Conti,
    rifiuti: Conti,
    rilievi: Conti,
    entrati: Conti,
    usciti: Conti,
    durata: Istogrammi,
    passi: Istogrammi,
}

impl Default for ContiMessaggi {
    fn default() -> Self {
        let servizi = PRESTAZIONI.len() + 1;
        let operazioni = Operazione::TUTTE.len() + 1;
        let esiti = ESITI.len() + 1;
        Self {
            iniziati: Conti::new(1),
            conclusi: Conti::new((CANALI.len() + 1) * servizi * operazioni * esiti),
            rifiuti: Conti::new(CODICI.len()),
            rilievi: Conti::new(CODICI.len()),
            entrati: Conti::new(CANALI.len() + 1),
            usciti: Conti::new(CANALI.len() + 1),
            durata: Istogrammi::new(operazioni, TEMPI_US),
            passi: Istogrammi::new(PASSI.len(), TEMPI_US),
        }
    }
}

impl ContiMessaggi {
    /// A message has come.
    pub(super) fn begun(&self) {
        self.iniziati.add(0, 1);
    }

    /// A message has ended, after so long.
    pub(super) fn ended(&self, traccia: &Traccia, durata: Duration) {
        let canale = position(CANALI.iter().copied(), Some(&traccia.canale));
        let servizio = position(servizi(), traccia.servizio.as_deref());
        let operazione = position(operazioni(), traccia.operazione.as_deref());
        let esito = position(ESITI.iter().copied(), Some(&traccia.esito));
        let posto = ((canale * (PRESTAZIONI.len() + 1) + servizio) * (Operazione::TUTTE.len() + 1)
            + operazione)
            * (ESITI.len() + 1)
            + esito;
        self.conclusi.add(posto, 1);
        self.entrati.add(canale, traccia.richiesta_len);
        self.usciti.add(canale, traccia.risposta_len);
        self.durata.observe_time(operazione, durata);
        for (passo, us) in &traccia.tempi_us {
            if let Some(passo) = PASSI.iter().position(|nome| nome == passo) {
                self.passi.observe(passo, *us);
            }
        }
        for codice in traccia.codici.iter().filter_map(|codice| Codice::parse(codice)) {
            self.rilievi.add(codice as usize, 1);
        }
        if let Some(codice) = traccia.codice.as_deref().and_then(Codice::parse) {
            self.rifiuti.add(codice as usize, 1);
        }
    }

    /// How it stands, for whoever draws it: how messages ended, how long they took, what refused them.
    #[must_use]
    pub fn quadro(&self) -> QuadroMessaggi {
        let esiti = ESITI.len() + 1;
        let mut conclusi = vec![0; esiti];
        for posto in 0..self.conclusi.len() {
            conclusi[posto % esiti] += self.conclusi.sum(posto);
        }
        let mut durata = vec![0; TEMPI_US.len() + 1];
        for istogramma in (0..=Operazione::TUTTE.len()).filter_map(|posto| self.durata.at(posto)) {
            let fino_a = istogramma.fino_a.iter().map(|(_, quanti)| *quanti);
            for (somma, quanti) in durata.iter_mut().zip(fino_a.chain([istogramma.quanti])) {
                *somma += quanti;
            }
        }
        let rifiuti = CODICI.iter().map(|codice| self.rifiuti.sum(*codice as usize));
        QuadroMessaggi {
            conclusi,
            durata,
            rifiuti: rifiuti.collect(),
        }
    }

    /// All of it, as text.
    pub fn tell(&self, testo: &mut Testo) {
        let mut messaggi = testo.of(&MESSAGGI);
        let mut posto = 0;
        for canale in with_none(CANALI.iter().copied()) {
            for servizio in with_none(servizi()) {
                for operazione in with_none(operazioni()) {
                    for esito in with_none(ESITI.iter().copied()) {
                        let quanti = self.conclusi.sum(posto);
                        if quanti > 0 {
                            messaggi.tell(&[canale, servizio, operazione, esito], quanti);
                        }
                        posto += 1;
                    }
                }
            }
        }
        for (metrica, conti) in [(&RIFIUTI, &self.rifiuti), (&RILIEVI, &self.rilievi)] {
            let mut famiglia = testo.of(metrica);
            for codice in CODICI.iter().copied() {
                let quanti = conti.sum(codice as usize);
                famiglia.tell_some(&[codice.as_str()], (quanti > 0).then_some(quanti));
            }
        }
        let mut durata = testo.of(&DURATA);
        for (posto, operazione) in with_none(operazioni()).enumerate() {
            if let Some(istogramma) = self.durata.at(posto) {
                durata.histogram(&[operazione], &istogramma, MICROSECONDI);
            }
        }
        let mut passi = testo.of(&PASSI_SECONDS);
        for (posto, passo) in PASSI.iter().enumerate() {
            if let Some(istogramma) = self.passi.at(posto) {
                passi.histogram(&[passo], &istogramma, MICROSECONDI);
            }
        }
        for (metrica, conti) in [(&BYTE_ENTRATI, &self.entrati), (&BYTE_USCITI, &self.usciti)] {
            let mut famiglia = testo.of(metrica);
            for (posto, canale) in CANALI.iter().enumerate() {
                famiglia.tell(&[canale], conti.sum(posto));
            }
        }
        // Read one after the other: one that ended in between would be one too few.
        let conclusi = self.conclusi.total();
        testo.one(&IN_CORSO, self.iniziati.total().saturating_sub(conclusi));
    }
}

/// How many make a second.
const MICROSECONDI: f64 = 1e6;

fn servizi() -> impl Iterator<Item = &'static str> {
    PRESTAZIONI.iter().map(|prestazione| prestazione.servizio)
}

fn operazioni() -> impl Iterator<Item = &'static str> {
    Operazione::TUTTE.iter().map(|operazione| operazione.nome())
}

fn with_none(nomi: impl Iterator<Item = &'static str>) -> impl Iterator<Item = &'static str> {
    nomi.chain([NESSUNO])
}

/// The place of a word among these; the place behind them where it is none of them.
fn position(mut nomi: impl Iterator<Item = &'static str>, nome: Option<&str>) -> usize {
    let mut quanti = 0;
    nomi.position(|altro| {
        quanti += 1;
        Some(altro) == nome
    })
    .unwrap_or(quanti)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metriche::Formato;

    fn told(conti: &ContiMessaggi) -> String {
        let mut testo = Testo::new(Formato::Prometheus);
        conti.tell(&mut testo);
        testo.finish()
    }

    #[test]
    fn a_message_counts_once_in_every_metric() {
        let conti = ContiMessaggi::default();
        conti.begun();
        conti.begun();
        let traccia = Traccia {
            canale: "MODI".to_owned(),
            servizio: Some("AssegnoUnicoUniversale".to_owned()),
            operazione: Some("InviaDomanda".to_owned()),
            esito: "RIFIUTATA".to_owned(),
            codice: Some("AT-006".to_owned()),
            codici: vec!["AT-006".to_owned(), "AT-001".to_owned(), "AT-001".to_owned()],
            richiesta_len: 1000,
            risposta_len: 300,
            tempi_us: vec![("busta", 90), ("regole", 260)],
            ..Traccia::default()
        };
        conti.ended(&traccia, Duration::from_micros(420));
        let testo = told(&conti);
        for riga in [
            "varco_messages_total{canale=\"MODI\",servizio=\"AssegnoUnicoUniversale\",operazione=\"InviaDomanda\",esito=\"RIFIUTATA\"} 1",
            "varco_refusals_total{codice=\"AT-006\"} 1",
            "varco_findings_total{codice=\"AT-001\"} 2",
            "varco_message_seconds_bucket{operazione=\"InviaDomanda\",le=\"0.00025\"} 0",
            "varco_message_seconds_bucket{operazione=\"InviaDomanda\",le=\"0.0005\"} 1",
            "varco_step_seconds_count{passo=\"regole\"} 1",
            "varco_request_bytes_total{canale=\"MODI\"} 1000",
            "varco_response_bytes_total{canale=\"MODI\"} 300",
            "varco_messages_in_flight 1",
        ] {
            assert!(testo.lines().any(|altra| altra == riga), "{riga}\n{testo}");
        }
        assert!(!testo.contains("varco_refusals_total{codice=\"AT-001\"}"));
    }

    proptest! {
        /// Whatever stands in a record, it makes no value of a label.
        #[test]
        fn no_word_of_a_sender_becomes_a_label(
            canale in ".*", servizio in ".*", operazione in ".*", esito in ".*", codice in ".*",
        ) {
            let conti = ContiMessaggi::default();
            let traccia = Traccia {
                canale: format!("x{canale}"),
                servizio: Some(format!("x{servizio}")),
                operazione: Some(format!("x{operazione}")),
                esito: format!("x{esito}"),
                codice: Some(format!("x{codice}")),
                codici: vec![format!("x{codice}")],
                ..Traccia::default()
            };
            conti.begun();
            conti.ended(&traccia, Duration::ZERO);
            let testo = told(&conti);
            let di_tutti = "varco_messages_total{canale=\"nessuno\",servizio=\"nessuno\",operazione=\"nessuno\",esito=\"nessuno\"} 1\n";
            prop_assert!(testo.contains(di_tutti), "{}", testo);
            let righe = testo.lines().filter(|riga| riga.starts_with("varco_messages_total") || riga.contains("codice=")).count();
            prop_assert_eq!(righe, 1);
        }
    }
}
