//! The papers of a registration: the receipt and the summary, as XML and as pages. A paper is made at its first download
//! and kept; every later one, from whichever gateway and release, gets those bytes.

use jiff::Timestamp;

use super::Intake;
use super::passi::Letta;
use super::risposte::riferimento;
use crate::carte::riepilogo::Originale;
use crate::carte::{Carta, CartaError, Formato, Quale, RicevutaDati, Riepilogo, pdf};
use crate::catalogo::Codice;
use crate::domanda::Violazione;
use crate::prestazione::Prestazione;
use crate::rifiuto::{Failure, Guasto, Rifiuto};
use crate::soap::answer::{self, CartaDetta, Risposta};
use crate::store::{RegistrazioneTrovata, Store};

impl Intake {
    /// The receipt, byte for byte as it was told; with the same as pages, where they are asked for.
    pub(super) async fn ricevuta(&self, letta: Letta) -> Result<Risposta, Failure> {
        let trovata = self.registrazione(&letta).await?;
        let documento = match formato(&letta) {
            Formato::Xml => None,
            Formato::Pdf => Some(
                self.carta(&letta, &trovata, Quale::Ricevuta, Formato::Pdf)
                    .await?,
            ),
        };
        Ok(Risposta::Ricevuta {
            ricevuta: trovata.registrata.ricevuta,
            annullata: trovata.registrata.annullata,
            documento,
        })
    }

    /// All that was sent, in words for people.
    pub(super) async fn riepilogo(&self, letta: Letta) -> Result<Risposta, Failure> {
        let trovata = self.registrazione(&letta).await?;
        let carta = self
            .carta(&letta, &trovata, Quale::Riepilogo, formato(&letta))
            .await?;
        Ok(Risposta::Riepilogo {
            carta,
            annullata: trovata.registrata.annullata,
        })
    }

    /// The registration that is named; another ente's is answered like one that is not there.
    async fn registrazione(&self, letta: &Letta) -> Result<RegistrazioneTrovata, Failure> {
        let (ente, servizio, riferimento) = riferimento(letta)?;
        self.store
            .registrazione(ente, servizio, &riferimento)
            .await?
            .ok_or_else(|| Rifiuto::NonTrovata.into())
    }

    async fn carta(
        &self,
        letta: &Letta,
        trovata: &RegistrazioneTrovata,
        quale: Quale,
        formato: Formato,
    ) -> Result<CartaDetta, Failure> {
        let lettura = letta.authorized.message();
        let prestazione = lettura.prestazione;
        let carta = emessa(
            &*self.store,
            prestazione,
            trovata,
            quale,
            formato,
            self.clock.business(),
        )
        .await?;
        let (prefisso, operazione) = (prestazione.prefisso, lettura.operazione.nome());
        let carta = carta.ok_or_else(|| {
            let riferimento = format!("/{prefisso}:{operazione}/{prefisso}:Riferimento");
            Rifiuto::Forma(vec![Violazione::at(Codice::Doc001, riferimento)])
        })?;
        Ok(CartaDetta {
            protocollo: trovata.registrata.protocollo.to_string(),
            carta,
        })
    }
}

/// In which form it is asked for; the XSD has held the word to its list.
fn formato(letta: &Letta) -> Formato {
    letta
        .campo("Formato")
        .and_then(Formato::parse)
        .unwrap_or(Formato::Xml)
}

/// A paper of a registration: the one that was made before, else it is made now and kept. `None`: it would tell of a
/// request that was purged.
pub async fn emessa(
    store: &dyn Store,
    prestazione: &'static Prestazione,
    trovata: &RegistrazioneTrovata,
    quale: Quale,
    formato: Formato,
    adesso: Timestamp,
) -> Result<Option<Carta>, Failure> {
    if let Some(carta) = store.carta(trovata, quale, formato).await? {
        return Ok(Some(carta));
    }
    let ricevuta = trovata.registrata.ricevuta.clone();
    let operazione = trovata.operazione.clone();
    // Pages take milliseconds: not on the threads that serve connections.
    let composta = match quale {
        Quale::Ricevuta => {
            in_disparte(move || match formato {
                Formato::Xml => Ok(ricevuta.to_vec()),
                Formato::Pdf => pdf::ricevuta(&RicevutaDati::read(&ricevuta, &operazione)?),
            })
            .await?
        }
        Quale::Riepilogo => {
            let Some(richiesta) = store.richiesta(trovata).await? else {
                return Ok(None);
            };
            let originale = Originale {
                ricevuta,
                operazione,
                richiesta: richiesta.bytes,
                contenuto_da: richiesta.contenuto_da,
                allegati: richiesta.allegati,
            };
            in_disparte(move || {
                let letto = Riepilogo::read(&originale, prestazione.testo_firmato)?;
                match formato {
                    Formato::Xml => Ok(answer::riepilogo(&letto, &originale.ricevuta)),
                    Formato::Pdf => pdf::riepilogo(&letto),
                }
            })
            .await?
        }
    };
    let carta = Carta::new(quale, formato, composta);
    Ok(store.keep_carta(trovata, &carta, adesso).await?)
}

async fn in_disparte(
    componi: impl FnOnce() -> Result<Vec<u8>, CartaError> + Send + 'static,
) -> Result<Vec<u8>, Guasto> {
    match tokio::task::spawn_blocking(componi).await {
        Ok(composta) => composta.map_err(|errore| Guasto::Carta(errore.to_string())),
        Err(errore) => Err(Guasto::Carta(errore.to_string())),
    }
}
