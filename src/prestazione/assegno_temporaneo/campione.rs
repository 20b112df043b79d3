//! A valid domanda of made-up people, as plain values: what `varco sample`, `demo`, `send` and the load tool write as
//! XML. The words are those of the XSD.

use jiff::ToSpan;
use jiff::civil::Date;

use super::domanda::{CodiceDichiarazione, Scelta};
use crate::domanda::campione::{self, Persona};
use crate::domanda::codice_fiscale::Sesso;
use crate::domanda::{CodiceFiscale, Iban};

/// The values of a domanda that breaks no rule, within the window or (with its warning) outside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campione {
    /// Date of the sender's own file.
    pub data_pratica: Date,
    /// Number of the mandate.
    pub mandato_numero: String,
    /// Date of the mandate.
    pub mandato_data: Date,
    /// Who asks: a parent.
    pub richiedente: Persona,
    /// For notices.
    pub email: String,
    /// For notices.
    pub cellulare: String,
    /// For notices.
    pub indirizzo: &'static str,
    /// `GENITORE`.
    pub presentata_da: &'static str,
    /// The children.
    pub minori: Vec<MinoreCampione>,
    /// How to pay.
    pub pagamento: PagamentoCampione,
    /// All declarations, each made.
    pub dichiarazioni: Vec<DichiarazioneCampione>,
}

/// One child of the sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MinoreCampione {
    /// `GENITORE`.
    pub qualita: &'static str,
    /// The child.
    pub persona: Persona,
    /// Whether the child is disabled.
    pub disabile: bool,
    /// Shared custody by a court.
    pub affido_condiviso: bool,
    /// The other parent.
    pub altro_genitore: CodiceFiscale,
    /// `INTERO_RICHIEDENTE`.
    pub ripartizione: &'static str,
}

/// The payment of the sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagamentoCampione {
    /// `CC`.
    pub modalita: &'static str,
    /// A valid Italian IBAN.
    pub iban: Iban,
    /// True.
    pub intestato_richiedente: bool,
}

/// A declaration of the sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DichiarazioneCampione {
    /// `D1`…
    pub codice: &'static str,
    /// True.
    pub valore: bool,
    /// The sub-choice, for D4 and D7.
    pub scelta: Option<&'static str>,
}

/// After so many counters the same codici fiscali come again.
pub const PERIODO: u64 = campione::PERIODO;

/// How many children a sample may have.
pub const MINORI_MAX: usize = 4;

// The roles of `Persona::new`: richiedente 0, other parent 1, children from 2 on.
const RICHIEDENTE: u64 = 0;
const ALTRO_GENITORE: u64 = 1;
const PRIMO_MINORE: u64 = 2;

/// The other parent's family name is as far as this from the richiedente's.
const ALTRA_FAMIGLIA: u64 = 1009;

impl Campione {
    /// The sample of a counter, with two children. Two different counters (modulo [`PERIODO`]) never share a codice
    /// fiscale, at whatever dates they are presented.
    #[must_use]
    pub fn new(contatore: u64, presentazione: Date) -> Self {
        Self::with_minori(contatore, presentazione, 2)
    }

    /// The same with as many children, from 1 to [`MINORI_MAX`].
    #[must_use]
    pub fn with_minori(contatore: u64, presentazione: Date, quanti: usize) -> Self {
        let contatore = contatore % PERIODO;
        let adulto = |ruolo: u64, famiglia, sesso| {
            let anni = 25 + (contatore + ruolo * 7) % 20;
            Persona::new(
                contatore,
                ruolo,
                famiglia,
                nato(presentazione, anni, contatore + ruolo),
                sesso,
            )
        };
        let richiedente = adulto(RICHIEDENTE, 0, Sesso::Femmina);
        let altro_genitore = adulto(ALTRO_GENITORE, ALTRA_FAMIGLIA, Sesso::Maschio).codice_fiscale;
        let minori = (PRIMO_MINORE..)
            .take(quanti.clamp(1, MINORI_MAX))
            .map(|ruolo| {
                // In one of the sixteen years before that of the presentation: born, and not yet eighteen.
                let anni = 1 + (contatore + ruolo * 3) % 16;
                let sesso = if (contatore + ruolo).is_multiple_of(2) {
                    Sesso::Femmina
                } else {
                    Sesso::Maschio
                };
                let nascita = nato(presentazione, anni, contatore / 16 + ruolo * 5);
                MinoreCampione {
                    qualita: "GENITORE",
                    persona: Persona::new(contatore, ruolo, ALTRA_FAMIGLIA, nascita, sesso),
                    disabile: false,
                    affido_condiviso: false,
                    altro_genitore: altro_genitore.clone(),
                    ripartizione: "INTERO_RICHIEDENTE",
                }
            })
            .collect();
        let mandato_data = presentazione.saturating_sub(1.day());
        Self {
            data_pratica: mandato_data,
            mandato_numero: format!("{}/{:06}", mandato_data.year(), contatore % 1_000_000),
            mandato_data,
            email: format!(
                "{}.{}@esempio.it",
                richiedente.nome.to_ascii_lowercase(),
                richiedente.cognome.to_ascii_lowercase()
            ),
            richiedente,
            cellulare: format!("+39333{:07}", contatore % 10_000_000),
            indirizzo: "Via dell'Esempio 1, 00100 Roma",
            presentata_da: "GENITORE",
            minori,
            pagamento: PagamentoCampione {
                modalita: "CC",
                iban: campione::iban(contatore),
                intestato_richiedente: true,
            },
            dichiarazioni: CodiceDichiarazione::TUTTI
                .iter()
                .map(|codice| DichiarazioneCampione {
                    codice: codice.as_str(),
                    valore: true,
                    scelta: match codice {
                        CodiceDichiarazione::D4 => Some(Scelta::Italiano.as_str()),
                        CodiceDichiarazione::D7 => Some(Scelta::Residenza.as_str()),
                        _ => None,
                    },
                })
                .collect(),
        }
    }
}

/// A day of the year that is so many before that of the presentation.
fn nato(presentazione: Date, eta: u64, seme: u64) -> Date {
    let anno = presentazione
        .year()
        .saturating_sub(i16::try_from(eta).unwrap_or(0));
    let giorni = i64::try_from(seme % 365).unwrap_or(0);
    let capodanno = Date::new(anno, 1, 1).unwrap_or(presentazione);
    capodanno.saturating_add(giorni.days())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use jiff::civil::date;

    use super::*;
    use crate::domanda::{Ambiente, Domanda, Esame};
    use crate::prestazione::assegno_temporaneo::domanda::AssegnoTemporaneo;
    use crate::prestazione::assegno_temporaneo::prova;

    /// The sample, field by field, as a message would bring it.
    fn letta(campione: &Campione) -> AssegnoTemporaneo {
        let mut campi = format!(
            "DataPratica {pratica}
             Patronato {{ Codice PAT01 | Ufficio 001 | }}
             Operatore operatore1
             Mandato {{ Numero {numero} | Data {mandato} | }}
             Richiedente {{ CodiceFiscale {codice} | Nome {nome} | Cognome {cognome}
               Contatti {{ Email {email} | Cellulare {cellulare} | Indirizzo {indirizzo} | }}
             }}
             PresentataDa {presentata_da}
             Pagamento {{ Modalita {modalita} | Iban {iban} | IntestatoRichiedente {intestato} | }}\n",
            pratica = campione.data_pratica,
            numero = campione.mandato_numero,
            mandato = campione.mandato_data,
            codice = campione.richiedente.codice_fiscale.as_str(),
            nome = campione.richiedente.nome,
            cognome = campione.richiedente.cognome,
            email = campione.email,
            cellulare = campione.cellulare,
            indirizzo = campione.indirizzo,
            presentata_da = campione.presentata_da,
            modalita = campione.pagamento.modalita,
            iban = campione.pagamento.iban.as_str(),
            intestato = campione.pagamento.intestato_richiedente,
        );
        for minore in &campione.minori {
            let minore = format!(
                "Minore {{ Qualita {} | CodiceFiscale {} | Disabile {} | AffidoCondiviso {}
                   AltroGenitore {{ CodiceFiscale {} | }} | Ripartizione {} | }}\n",
                minore.qualita,
                minore.persona.codice_fiscale.as_str(),
                minore.disabile,
                minore.affido_condiviso,
                minore.altro_genitore.as_str(),
                minore.ripartizione,
            );
            campi.push_str(&minore);
        }
        for resa in &campione.dichiarazioni {
            let scelta = resa
                .scelta
                .map_or(String::new(), |scelta| format!("Scelta {scelta} |"));
            let resa = format!(
                "Dichiarazione {{ Codice {} | Valore {} | {scelta} }}\n",
                resa.codice, resa.valore
            );
            campi.push_str(&resa);
        }
        prova::leggi(&campi).unwrap()
    }

    #[test]
    fn every_sample_passes_every_rule_in_produzione() {
        for presentazione in [date(2021, 7, 1), date(2021, 10, 31), date(2021, 12, 31)] {
            let contesto = prova::contesto(Ambiente::Produzione, presentazione);
            for passo in 0_u32..200 {
                let contatore = u64::from(passo) * 37_000_003;
                let campione = Campione::with_minori(
                    contatore,
                    presentazione,
                    1 + usize::try_from(passo).unwrap() % MINORI_MAX,
                );
                let domanda = letta(&campione);
                assert_eq!(
                    domanda.esamina(&contesto),
                    Esame::default(),
                    "{contatore} {campione:?}"
                );
                assert_eq!(domanda.minori().len(), campione.minori.len());
                let fascicolo = domanda.fascicolo(&contesto);
                assert!(
                    fascicolo
                        .schede
                        .iter()
                        .all(|scheda| scheda.decorrenza_presunta.is_some())
                );
                assert_eq!(fascicolo.dichiarazioni.len(), 8);
            }
        }
    }

    #[test]
    fn no_two_samples_share_a_codice_fiscale_also_of_different_days() {
        let mut visti = HashSet::new();
        for contatore in 0..5_000_u64 {
            let giorno = date(2021, 7, 1).saturating_add(i64::try_from(contatore % 180).unwrap().days());
            let campione = Campione::with_minori(contatore, giorno, MINORI_MAX);
            assert!(visti.insert(campione.richiedente.codice_fiscale));
            assert!(visti.insert(campione.minori[0].altro_genitore.clone()));
            for minore in campione.minori {
                assert!(visti.insert(minore.persona.codice_fiscale), "{contatore}");
            }
        }
        assert_eq!(visti.len(), 30_000);
    }

    #[test]
    fn every_child_has_a_role_of_its_own() {
        let minori = u64::try_from(MINORI_MAX).unwrap();
        assert_eq!(PRIMO_MINORE + minori, campione::RUOLI);
    }

    #[test]
    fn a_counter_always_gives_the_same_sample() {
        let giorno = date(2021, 7, 1);
        assert_eq!(Campione::new(42, giorno), Campione::new(42, giorno));
        assert_ne!(Campione::new(42, giorno), Campione::new(43, giorno));
        assert_eq!(Campione::new(u64::MAX, giorno).minori.len(), 2);
    }
}
