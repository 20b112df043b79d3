//! What goes back: the header of an answer, and the three shapes of an error. Faultstrings and the prefix of the
//! faultcode are part of the protocol: porte compare them as text. An answer is the same bytes as on the other channels,
//! with our header before its Body.

use jiff::Timestamp;

use super::costanti::{
    ALPIUUNAVOLTA, EGOV, ERRORE_NEL_PROCESSAMENTO, FORMATO_NON_CORRETTO, PORTA_DOMINIO, Profilo, SCONOSCIUTO,
    SOAP, SPC, TEMPO_SPC,
};
use super::eccezione::Eccezione;
use super::intestazione::{Intestazione, Parte};
use super::{Dominio, Identificatore, RegoleBusta, ora};
use crate::soap::fault::FAULT;
use crate::soap::scrittore::Scrittore;

/// The header of an answer to a busta.
#[derive(Debug, Clone)]
pub struct IntestazioneRisposta<'a> {
    /// Who answers. Always ourselves, also to a message that took us for somebody else: the identifier bears our name.
    pub dominio: &'a Dominio,
    /// The answer's own identifier.
    pub identificatore: &'a Identificatore,
    /// When.
    pub ora: Timestamp,
    /// What is answered: its values are echoed, also the wrong ones.
    pub richiesta: &'a Intestazione,
    /// The partner's rules.
    pub regole: RegoleBusta,
    /// What is told: INFO findings of a message that was served, or all of one that was not.
    pub eccezioni: &'a [Eccezione],
}

impl IntestazioneRisposta<'_> {
    /// The header block, whole: it binds its own prefixes.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut w = Scrittore::long(SOLITO);
        let radice = [
            ("xmlns:eGov_IT", EGOV),
            ("xmlns:soapenv", SOAP),
            ("soapenv:actor", PORTA_DOMINIO),
            ("soapenv:mustUnderstand", "1"),
        ];
        w.elemento("eGov_IT:Intestazione", &radice, |w| {
            w.elemento("eGov_IT:IntestazioneMessaggio", &[], |w| self.messaggio(w));
            if !self.eccezioni.is_empty() {
                w.elemento("eGov_IT:ListaEccezioni", &[], |w| self.eccezioni(w));
            }
        });
        w.finish()
    }

    fn messaggio(&self, w: &mut Scrittore) {
        let richiesta = self.richiesta;
        parte(w, "eGov_IT:Mittente", self.dominio.parte());
        parte(w, "eGov_IT:Destinatario", &destinatario(richiesta));
        let profilo = richiesta.profilo.as_deref();
        w.campo(
            "eGov_IT:ProfiloCollaborazione",
            profilo.unwrap_or(Profilo::Sincrono.as_str()),
        );
        if self.regole == RegoleBusta::Egov11 {
            w.campo_se("eGov_IT:Collaborazione", richiesta.collaborazione.as_deref());
        }
        if let Some(servizio) = &richiesta.servizio {
            w.elemento("eGov_IT:Servizio", &[("tipo", &servizio.tipo)], |w| {
                w.testo(&servizio.nome);
            });
        }
        w.campo_se("eGov_IT:Azione", richiesta.azione.as_deref());
        w.elemento("eGov_IT:Messaggio", &[], |w| {
            w.campo("eGov_IT:Identificatore", self.identificatore.as_str());
            w.elemento("eGov_IT:OraRegistrazione", &[("tempo", TEMPO_SPC)], |w| {
                w.testo(&ora::scrivi(self.ora));
            });
            let riferimento = richiesta.identificatore.as_deref();
            w.campo_se("eGov_IT:RiferimentoMessaggio", riferimento);
        });
        let trasmissione = [("inoltro", ALPIUUNAVOLTA), ("confermaRicezione", "false")];
        w.elemento("eGov_IT:ProfiloTrasmissione", &trasmissione, |_| {});
    }

    fn eccezioni(&self, w: &mut Scrittore) {
        for eccezione in self.eccezioni {
            let attributi = [
                ("contestoCodifica", eccezione.contesto.as_str()),
                ("codiceEccezione", eccezione.codice.as_str()),
                ("rilevanza", eccezione.rilevanza.as_str()),
                ("posizione", &*eccezione.posizione),
            ];
            w.elemento("eGov_IT:Eccezione", &attributi, |_| {});
        }
    }
}

/// About as long is the header of an answer without findings.
const SOLITO: usize = 1536;

/// Whom the answer is for: who sent, or nobody that is known.
fn destinatario(richiesta: &Intestazione) -> Parte {
    let letto = richiesta.mittente.as_ref();
    let o = |valore: Option<&String>, altrimenti: &str| match valore {
        Some(valore) if !valore.is_empty() => valore.clone(),
        _ => altrimenti.to_owned(),
    };
    Parte {
        tipo: o(letto.map(|parte| &parte.tipo), SPC),
        nome: o(letto.map(|parte| &parte.nome), SCONOSCIUTO),
        indirizzo: None,
    }
}

fn parte(w: &mut Scrittore, nome: &str, parte: &Parte) {
    w.elemento(nome, &[], |w| {
        w.elemento("eGov_IT:IdentificativoParte", &[("tipo", &parte.tipo)], |w| {
            w.testo(&parte.nome);
        });
    });
}

/// Puts a header block before all else that an envelope says. `envelope` is one that we wrote (`soap::answer`,
/// `soap::fault`).
#[must_use]
pub fn con_intestazione(envelope: &[u8], intestazione: &[u8]) -> Vec<u8> {
    const HEADER: &[u8] = b"<env:Header>";
    const BODY: &[u8] = b"<env:Body>";
    // A Header stands before the Body; the same bytes behind it would be content.
    let is_uno_dei_due = |posto: &usize| {
        let qui = &envelope[*posto..];
        qui.starts_with(HEADER) || qui.starts_with(BODY)
    };
    let posto = memchr::memchr_iter(b'<', envelope).find(is_uno_dei_due);
    let (prima, dopo) = envelope.split_at(posto.unwrap_or(envelope.len()));
    let mut insieme = Vec::with_capacity(envelope.len() + intestazione.len() + 2 * HEADER.len() + 1);
    insieme.extend_from_slice(prima);
    insieme.extend_from_slice(HEADER);
    insieme.extend_from_slice(intestazione);
    if let Some(altri_blocchi) = dopo.strip_prefix(HEADER) {
        insieme.extend_from_slice(altri_blocchi);
    } else {
        insieme.extend_from_slice(b"</env:Header>");
        insieme.extend_from_slice(dopo);
    }
    insieme
}

/// What shape C may add: one of our codes, and its sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dettaglio<'a> {
    /// The code.
    pub codice: &'a str,
    /// The sentence, without anything of the message.
    pub testo: &'a str,
}

/// Shape A: no header can be trusted, so there is none.
#[must_use]
pub fn errore_di_formato() -> Vec<u8> {
    errore(None, "soap:Client", FORMATO_NON_CORRETTO, None)
}

/// Shape B: the header tells what is wrong. There is no `detail`: porte refuse a fault that has one.
#[must_use]
pub fn errore_di_validazione(intestazione: &[u8]) -> Vec<u8> {
    errore(Some(intestazione), "soap:Client", FORMATO_NON_CORRETTO, None)
}

/// Shape C: ours to mend. With the header of an answer when the message's was read; it lists no exceptions.
#[must_use]
pub fn errore_di_processamento(intestazione: Option<&[u8]>, dettaglio: Option<Dettaglio<'_>>) -> Vec<u8> {
    errore(intestazione, "soap:Server", ERRORE_NEL_PROCESSAMENTO, dettaglio)
}

fn errore(
    intestazione: Option<&[u8]>,
    faultcode: &str,
    faultstring: &str,
    dettaglio: Option<Dettaglio<'_>>,
) -> Vec<u8> {
    let mut w = Scrittore::documento();
    w.elemento("soapenv:Envelope", &[("xmlns:soapenv", SOAP)], |w| {
        if let Some(intestazione) = intestazione {
            w.elemento("soapenv:Header", &[], |w| w.conservato(intestazione));
        }
        w.elemento("soapenv:Body", &[], |w| {
            w.elemento("soapenv:Fault", &[], |w| {
                // OpenSPCoop 1.x asks for this very prefix.
                w.elemento("faultcode", &[("xmlns:soap", SOAP)], |w| w.testo(faultcode));
                w.campo("faultstring", faultstring);
                if let Some(dettaglio) = dettaglio {
                    w.elemento("detail", &[], |w| {
                        w.elemento("varco:Errore", &[("xmlns:varco", FAULT)], |w| {
                            w.campo("varco:Codice", dettaglio.codice);
                            w.campo("varco:Testo", dettaglio.testo);
                        });
                    });
                }
            });
        });
    });
    w.finish()
}
