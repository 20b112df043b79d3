//! Answers: the receipt, and the envelope of every operation. It promises XML that is valid against `xsd/`, the same
//! bytes for the same values, and a receipt that is written once: afterwards its bytes are only carried.

mod carte;
mod consultazione;
mod elenchi;
pub mod lotti;

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use super::SoapVersion;
use super::envelope::CORRELAZIONE;
use super::errori::{COOP, avvisi, errori};
use super::identity::Forma;
use super::scrittore::Scrittore;
use crate::domanda::consultazione::Consultazione;
use crate::domanda::elenco::{DomandaElencata, Variazione};
use crate::domanda::sha256::hex as esadecimale;
use crate::domanda::{Ambiente, Violazione};
use crate::patronato::{CodiceEnte, CodiceUfficio, UserId};
use crate::prestazione::{Operazione, Prestazione};
use crate::ricevuta::{Ricevuta, SchedaRicevuta};
pub use carte::{CartaDetta, riepilogo};
pub use elenchi::PaginaDetta;
pub use lotti::{FormatoEsito, LottoAccolto, LottoDetto};

/// What is answered to an operation; mirrors `coop:Risposta*` of `xsd/cooperazione-v1.xsd`.
#[derive(Debug, Clone, PartialEq)]
pub enum Risposta {
    /// To `InviaDomanda`, and to every act about a domanda.
    Invio {
        /// What became of it.
        esito: EsitoInvio,
        /// What should be looked at nevertheless.
        avvisi: Vec<Violazione>,
    },
    /// To `VerificaDomanda`.
    Verifica {
        /// What would become of the domanda.
        esito: EsitoVerifica,
        /// What should be looked at nevertheless.
        avvisi: Vec<Violazione>,
    },
    /// To `InviaLotto`.
    Lotto(LottoAccolto),
    /// To `StatoLotto`.
    StatoLotto(Box<LottoDetto>),
    /// To `EsitoLotto`; its items are read while they are told ([`lotti::parted`]).
    EsitoLotto {
        /// The lot.
        lotto: Box<LottoDetto>,
        /// The refused items alone.
        solo_rifiutate: bool,
        /// In which form.
        formato: FormatoEsito,
    },
    /// To `ConsultaDomanda`.
    Consultazione(Box<Consultazione>),
    /// To `RicercaDomande`.
    Ricerca(PaginaDetta<DomandaElencata>),
    /// To `ElencoVariazioni`.
    Variazioni(PaginaDetta<Variazione>),
    /// To `ScaricaRicevuta`.
    Ricevuta {
        /// The receipt as it was told then.
        ricevuta: Bytes,
        /// Whether the registration was annulled since.
        annullata: bool,
        /// The same as pages, where they were asked for.
        documento: Option<CartaDetta>,
    },
    /// To `ScaricaRiepilogo`.
    Riepilogo {
        /// The summary.
        carta: CartaDetta,
        /// Whether the registration was annulled since.
        annullata: bool,
    },
    /// To `echo`.
    Echo {
        /// The text received.
        msg: String,
        /// Whether new domande are taken in.
        attivo: bool,
        /// Version of the contract: `1.0.0`.
        versione: String,
        /// Where we are.
        ambiente: Ambiente,
        /// The time of the business clock.
        istante: Timestamp,
    },
    /// To `Limiti`.
    Limiti {
        /// Every limit; never empty.
        limiti: Vec<Limite>,
        /// The ente's quota, if it has one.
        quota: Option<Quota>,
    },
    /// To `Diagnosi`.
    Diagnosi(Box<Diagnosi>),
}

impl Risposta {
    /// Whether the store keeps it already, byte for byte: a paper, which the trace need not hold again.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        matches!(
            self,
            Self::EsitoLotto { .. }
                | Self::Riepilogo { .. }
                | Self::Ricevuta {
                    documento: Some(_),
                    ..
                }
        )
    }
}

/// What became of a domanda.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EsitoInvio {
    /// It has its number.
    Registrata(RicevutaDiAllora),
    /// It has none, and its key is still free.
    Rifiutata {
        /// Why; never empty.
        errori: Vec<Violazione>,
    },
}

/// What would become of a domanda.
#[derive(Debug, Clone, PartialEq)]
pub enum EsitoVerifica {
    /// Sent now, it would be registered.
    Ammissibile {
        /// With these sheets.
        schede: Vec<SchedaRicevuta>,
    },
    /// It is registered already.
    Registrata(RicevutaDiAllora),
    /// It would be refused.
    Rifiutata {
        /// Why; never empty.
        errori: Vec<Violazione>,
    },
}

/// A receipt, new or told again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RicevutaDiAllora {
    /// Its bytes ([`crate::ricevuta::Registrata::ricevuta`]).
    pub ricevuta: Bytes,
    /// Whether the message had come before.
    pub ripetizione: bool,
    /// Whether the registration was annulled since.
    pub annullata: bool,
}

/// A limit, as people and programs are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limite {
    /// As in the configuration.
    pub nome: &'static str,
    /// The number.
    pub valore: u64,
    /// Of what.
    pub unita: &'static str,
    /// In Italian.
    pub descrizione: &'static str,
}

/// A quota and what is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Requests granted in the window.
    pub concesse: u64,
    /// Requests left.
    pub rimaste: u64,
    /// Seconds until the window begins anew.
    pub secondi_al_rinnovo: u64,
}

/// What the gateway sees of who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each is an element of coop:RispostaDiagnosi, documented there"
)]
pub struct Diagnosi {
    pub ente: CodiceEnte,
    pub ente_denominazione: String,
    pub codice_ufficio: CodiceUfficio,
    pub user_id: UserId,
    pub forma_identity: Forma,
    pub certificato_soggetto: String,
    pub certificato_emittente: String,
    pub certificato_seriale: String,
    pub certificato_sha256: String,
    pub certificato_scadenza: Timestamp,
    pub indirizzo: String,
    pub versione_tls: String,
    pub suite_tls: String,
    pub versione_soap: SoapVersion,
    pub operazioni_concesse: Vec<String>,
    pub ora_del_varco: Timestamp,
    pub ora_di_servizio: Timestamp,
    pub scarto_orologio_secondi: Option<i64>,
}

/// The receipt's bytes: an element that stands alone, with its namespace, without an XML declaration. Equal values
/// give equal bytes; they are written once, stored, and told again for ever.
#[must_use]
pub fn ricevuta(ricevuta: &Ricevuta) -> Vec<u8> {
    let mut w = Scrittore::long(RICEVUTA_SOLITA);
    w.elemento("Ricevuta", &[("xmlns", COOP)], |w| {
        w.campo(
            "Intestazione",
            "INPS - Istituto Nazionale della Previdenza Sociale",
        );
        w.campo("Prestazione", &ricevuta.prestazione);
        w.campo("Ambiente", ricevuta.ambiente.as_str());
        w.campo_se("Avvertenza", avvertenza(ricevuta.ambiente));
        w.campo("Protocollo", ricevuta.protocollo.to_string());
        w.campo("NumeroDomanda", ricevuta.numero_domanda.0.to_string());
        w.campo("ChiaveInvio", ricevuta.chiave.as_str());
        w.campo("PresentataIl", istante(ricevuta.presentata_il));
        w.campo("RegistrataIl", istante(ricevuta.registrata_il));
        w.campo("Oggetto", &ricevuta.oggetto);
        w.elemento("Ente", &[], |w| {
            w.campo("Codice", ricevuta.ente.as_str());
            w.campo("Denominazione", &ricevuta.ente_denominazione);
        });
        w.campo("CodiceUfficio", ricevuta.codice_ufficio.as_str());
        w.campo("UserId", ricevuta.user_id.as_str());
        w.elemento("Richiedente", &[], |w| {
            w.campo("CodiceFiscale", ricevuta.richiedente.codice_fiscale.as_str());
            w.campo("Nome", &ricevuta.richiedente.nome);
            w.campo("Cognome", &ricevuta.richiedente.cognome);
        });
        w.campo("Canale", ricevuta.canale);
        w.campo("Impronta", esadecimale(&ricevuta.impronta));
        schede(w, "", &ricevuta.schede);
        w.campo("ProssimiPassi", &ricevuta.prossimi_passi);
    });
    w.finish()
}

/// The whole envelope of an answer. `message_id` is told where there are errors.
#[must_use]
pub fn write(
    versione: SoapVersion,
    prestazione: &Prestazione,
    operazione: Operazione,
    risposta: &Risposta,
    message_id: Uuid,
) -> Vec<u8> {
    let mut w = Scrittore::documento();
    let prefisso = prestazione.prefisso;
    let elemento = format!("{prefisso}:{}Response", operazione.nome());
    let xmlns = format!("xmlns:{prefisso}");
    w.elemento("env:Envelope", &[("xmlns:env", versione.namespace())], |w| {
        if let Risposta::Lotto(lotto) = risposta {
            w.elemento("env:Header", &[], |w| {
                let blocco = format!("{prefisso}:{CORRELAZIONE}");
                let spazi = [(xmlns.as_str(), prestazione.namespace)];
                w.elemento(&blocco, &spazi, |w| w.testo(&lotto.id.to_string()));
            });
        }
        w.elemento("env:Body", &[], |w| {
            let spazi = [(xmlns.as_str(), prestazione.namespace), ("xmlns:coop", COOP)];
            w.elemento(&elemento, &spazi, |w| corpo(w, prestazione, risposta, message_id));
        });
    });
    w.finish()
}

fn corpo(w: &mut Scrittore, prestazione: &Prestazione, risposta: &Risposta, message_id: Uuid) {
    match risposta {
        Risposta::Invio {
            esito,
            avvisi: trovati,
        } => {
            let mancanti: &[Violazione] = match esito {
                EsitoInvio::Registrata(allora) => {
                    w.campo("coop:Esito", "REGISTRATA");
                    w.conservato(&allora.ricevuta);
                    ripetizione(w, allora);
                    &[]
                }
                EsitoInvio::Rifiutata { errori } => {
                    w.campo("coop:Esito", "RIFIUTATA");
                    errori
                }
            };
            avvisi(w, trovati);
            errori(w, mancanti, message_id);
        }
        Risposta::Verifica {
            esito,
            avvisi: trovati,
        } => {
            let mancanti: &[Violazione] = match esito {
                EsitoVerifica::Ammissibile { schede: previste } => {
                    w.campo("coop:Esito", "AMMISSIBILE");
                    schede(w, "coop:", previste);
                    &[]
                }
                EsitoVerifica::Registrata(allora) => {
                    w.campo("coop:Esito", "REGISTRATA");
                    w.conservato(&allora.ricevuta);
                    ripetizione(w, allora);
                    &[]
                }
                EsitoVerifica::Rifiutata { errori } => {
                    w.campo("coop:Esito", "RIFIUTATA");
                    errori
                }
            };
            avvisi(w, trovati);
            errori(w, mancanti, message_id);
        }
        Risposta::Lotto(lotto) => lotti::accolto(w, lotto),
        Risposta::StatoLotto(lotto) => lotti::stato(w, lotto),
        Risposta::EsitoLotto { lotto, formato, .. } => lotti::esito(w, lotto, *formato),
        Risposta::Consultazione(domanda) => consultazione::write(w, domanda),
        Risposta::Ricerca(pagina) => elenchi::ricerca(w, pagina),
        Risposta::Variazioni(pagina) => elenchi::variazioni(w, pagina),
        Risposta::Ricevuta {
            ricevuta,
            annullata,
            documento,
        } => {
            w.conservato(ricevuta);
            w.campo("coop:Annullata", booleano(*annullata));
            if let Some(documento) = documento {
                carte::carta(w, documento);
            }
        }
        Risposta::Riepilogo { carta, annullata } => {
            carte::carta(w, carta);
            w.campo("coop:Annullata", booleano(*annullata));
        }
        Risposta::Echo {
            msg,
            attivo,
            versione,
            ambiente,
            istante: adesso,
        } => {
            w.campo("coop:Msg", msg);
            w.campo("coop:Stato", if *attivo { "ATTIVO" } else { "SOSPESO" });
            w.campo("coop:Servizio", prestazione.servizio);
            w.campo("coop:Versione", versione);
            w.campo("coop:Ambiente", ambiente.as_str());
            w.campo("coop:Istante", istante(*adesso));
        }
        Risposta::Limiti { limiti, quota } => {
            for limite in limiti {
                w.elemento("coop:Limite", &[], |w| {
                    w.campo("coop:Nome", limite.nome);
                    w.campo("coop:Valore", limite.valore.to_string());
                    w.campo("coop:Unita", limite.unita);
                    w.campo("coop:Descrizione", limite.descrizione);
                });
            }
            if let Some(quota) = quota {
                w.elemento("coop:Quota", &[], |w| {
                    w.campo("coop:Concesse", quota.concesse.to_string());
                    w.campo("coop:Rimaste", quota.rimaste.to_string());
                    w.campo("coop:SecondiAlRinnovo", quota.secondi_al_rinnovo.to_string());
                });
            }
        }
        Risposta::Diagnosi(visto) => diagnosi(w, visto),
    }
}

fn ripetizione(w: &mut Scrittore, allora: &RicevutaDiAllora) {
    w.campo("coop:Ripetizione", booleano(allora.ripetizione));
    w.campo("coop:Annullata", booleano(allora.annullata));
}

fn schede(w: &mut Scrittore, prefisso: &str, schede: &[SchedaRicevuta]) {
    let nome = |locale: &str| format!("{prefisso}{locale}");
    w.elemento(&nome("Schede"), &[], |w| {
        for scheda in schede {
            w.elemento(&nome("Scheda"), &[], |w| {
                w.campo(&nome("Posto"), scheda.posto.to_string());
                w.campo(&nome("CodiceFiscale"), scheda.codice_fiscale.as_str());
                let decorrenza = scheda.decorrenza_presunta.map(|mese| mese.to_string());
                w.campo_se(&nome("DecorrenzaPresunta"), decorrenza);
            });
        }
    });
}

fn diagnosi(w: &mut Scrittore, visto: &Diagnosi) {
    w.elemento("coop:Ente", &[], |w| {
        w.campo("coop:Codice", visto.ente.as_str());
        w.campo("coop:Denominazione", &visto.ente_denominazione);
    });
    w.campo("coop:CodiceUfficio", visto.codice_ufficio.as_str());
    w.campo("coop:UserId", visto.user_id.as_str());
    w.campo("coop:FormaIdentity", visto.forma_identity.as_str());
    w.campo("coop:CertificatoSoggetto", &visto.certificato_soggetto);
    w.campo("coop:CertificatoEmittente", &visto.certificato_emittente);
    w.campo("coop:CertificatoSeriale", &visto.certificato_seriale);
    w.campo("coop:CertificatoSha256", &visto.certificato_sha256);
    w.campo("coop:CertificatoScadenza", istante(visto.certificato_scadenza));
    w.campo("coop:Indirizzo", &visto.indirizzo);
    w.campo("coop:VersioneTls", &visto.versione_tls);
    w.campo("coop:SuiteTls", &visto.suite_tls);
    w.campo("coop:VersioneSoap", visto.versione_soap.as_str());
    w.campo("coop:OperazioniConcesse", visto.operazioni_concesse.join(" "));
    w.campo("coop:OraDelVarco", istante(visto.ora_del_varco));
    w.campo("coop:OraDiServizio", istante(visto.ora_di_servizio));
    let scarto = visto.scarto_orologio_secondi.map(|secondi| secondi.to_string());
    w.campo_se("coop:ScartoOrologioSecondi", scarto);
}

/// The watermark: nobody may take a try for the real thing.
fn avvertenza(ambiente: Ambiente) -> Option<&'static str> {
    match ambiente {
        Ambiente::Sandbox => Some("AMBIENTE DI SANDBOX: RICEVUTA DI PROVA, SENZA ALCUN VALORE"),
        Ambiente::Collaudo => Some("AMBIENTE DI COLLAUDO: RICEVUTA DI PROVA, SENZA ALCUN VALORE"),
        Ambiente::Produzione => None,
    }
}

/// RFC 3339 in UTC, always with milliseconds.
fn istante(istante: Timestamp) -> String {
    istante.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn booleano(valore: bool) -> &'static str {
    if valore { "true" } else { "false" }
}

/// Bytes of a receipt as most are.
const RICEVUTA_SOLITA: usize = 2048;

#[cfg(test)]
mod tests;
