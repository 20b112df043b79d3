//! The operations that answer by pages.

use jiff::Timestamp;

use super::Intake;
use super::passi::Letta;
use super::risposte::without_findings;
use crate::domanda::cursore::{Elenco, Legame};
use crate::domanda::elenco::{Inizio, RIGHE_MAX};
use crate::domanda::lettura;
use crate::registro::inizio_del_giorno;
use crate::rifiuto::{Failure, Rifiuto};
use crate::soap::answer::{PaginaDetta, Risposta};

impl Intake {
    /// What changed in the domande of the own ente.
    pub(super) async fn variazioni(&self, letta: Letta) -> Result<Risposta, Failure> {
        without_findings(&letta)?;
        let lettura = letta.authorized.message();
        let ente = &letta.authorized.ente().codice;
        let servizio = lettura.prestazione.servizio;
        let legame = Legame {
            elenco: Elenco::Variazioni,
            ente,
            servizio,
            ricerca: "",
        };
        let inizio = match (posizione(&letta, &legame)?, giorno(&letta, "Dal")) {
            (Some([cursore]), _) => Inizio::Dopo(cursore),
            (None, Some(dal)) => Inizio::Dal(dal),
            (None, None) => Inizio::Dopo(0),
        };
        let pagina = self
            .store
            .variazioni(ente, servizio, inizio, righe_max(&letta))
            .await?;
        Ok(Risposta::Variazioni(PaginaDetta {
            righe: pagina.righe,
            cursore: legame.cursore([pagina.posizione]),
            altre: pagina.altre,
        }))
    }
}

/// Where the list goes on, if the request says so; CUR-001 for what this list did not give out.
fn posizione<const N: usize>(letta: &Letta, legame: &Legame<'_>) -> Result<Option<[u64; N]>, Rifiuto> {
    let Some(cursore) = letta.campo("Cursore") else {
        return Ok(None);
    };
    match legame.posizione(cursore) {
        Some(posizione) => Ok(Some(posizione)),
        None => {
            let lettura = letta.authorized.message();
            let (prefisso, operazione) = (lettura.prestazione.prefisso, lettura.operazione.nome());
            Err(Rifiuto::Cursore {
                percorso: format!("/{prefisso}:{operazione}/coop:Cursore"),
            })
        }
    }
}

/// How many rows are asked for; the XSD has held the number to its bounds.
fn righe_max(letta: &Letta) -> u32 {
    letta
        .campo("RigheMax")
        .and_then(|testo| testo.parse().ok())
        .unwrap_or(RIGHE_MAX)
        .min(RIGHE_MAX)
}

/// The instant at which a day begins in Rome; no store knows one before 1970.
fn giorno(letta: &Letta, campo: &str) -> Option<Timestamp> {
    let giorno = letta.campo(campo).and_then(lettura::data)?;
    Some(inizio_del_giorno(giorno).max(Timestamp::UNIX_EPOCH))
}
