//! Closing days: what `varco register daily` does, over whatever store. A day is closed first, under the lock of its
//! register; what was registered on it cannot change from then on, so its document is made without any lock, and made
//! again it is the same. A crash between the two leaves a closed day without a document, which the next call makes.

use jiff::Timestamp;
use jiff::civil::Date;

use super::StoreError;
use super::legale::RegistroLegale;
use super::valori::al_millesimo;
use crate::protocollo::data_a_roma;
use crate::registro::{
    Composto, Giornaliero, Giornata, PRIMO_ANELLO, a_roma, fine_del_giorno, inizio_del_giorno,
};

/// Registrations read at once.
const PAGINA: u32 = 1_000;

/// Why there is no daily register of a day.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GiornoNegato {
    /// Nothing was ever registered.
    #[error("il registro {0} non ha ancora registrazioni")]
    RegistroVuoto(String),
    /// The register is younger.
    #[error("il registro {registro} comincia il {primo}")]
    PrimaDelRegistro {
        /// The register.
        registro: String,
        /// Its first day.
        primo: Date,
    },
    /// Something may still be registered on it.
    #[error("il {giorno} non è ancora finito: si chiude dalle {}", a_roma(*.fine))]
    NonFinito {
        /// The day.
        giorno: Date,
        /// When it ends.
        fine: Timestamp,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The daily register of a day: as it is kept, else made now, after those of the days before that are missing.
pub async fn giornaliero(
    store: &dyn RegistroLegale,
    registro: &str,
    giorno: Date,
    adesso: Timestamp,
) -> Result<Giornaliero, GiornoNegato> {
    if let Some(conservato) = store.giornaliero(registro, giorno).await? {
        return Ok(conservato);
    }
    let primo = store
        .registri()
        .await?
        .into_iter()
        .find(|stato| stato.registro == registro)
        .and_then(|stato| stato.primo)
        .map(data_a_roma)
        .ok_or_else(|| GiornoNegato::RegistroVuoto(registro.to_owned()))?;
    if giorno < primo {
        return Err(GiornoNegato::PrimaDelRegistro {
            registro: registro.to_owned(),
            primo,
        });
    }
    let fine = fine_del_giorno(giorno);
    if adesso < fine {
        return Err(GiornoNegato::NonFinito { giorno, fine });
    }
    store.chiudi(registro, fine).await?;
    let mut ultimo = store.ultimo_giornaliero(registro).await?;
    loop {
        let prossimo = match &ultimo {
            None => primo,
            Some(ultimo) if ultimo.giorno >= giorno => break,
            // There is a day after one that is before `giorno`.
            Some(ultimo) => ultimo.giorno.tomorrow().unwrap_or(giorno),
        };
        let composto = compose(
            store,
            &Giornata {
                ambiente: store.ambiente(),
                registro,
                giorno: prossimo,
                composto_il: al_millesimo(adesso),
                precedente: ultimo.as_ref().map_or(PRIMO_ANELLO, |ultimo| ultimo.sha256),
            },
            ultimo.as_ref().map_or((0, 0), |ultimo| ultimo.fino_a),
        )
        .await?;
        store.conserva(&composto).await?;
        // Another keeper may have been quicker: what is kept is the day's, and the chain goes on from it.
        ultimo = store.giornaliero(registro, prossimo).await?;
    }
    store
        .giornaliero(registro, giorno)
        .await?
        .ok_or_else(|| StoreError::unavailable("the daily register was kept and is not there").into())
}

/// Makes the document of a closed day from its rows: those after `dopo`, the last registration of before.
pub(super) async fn compose(
    store: &dyn RegistroLegale,
    giornata: &Giornata<'_>,
    dopo: (i16, u64),
) -> Result<Giornaliero, StoreError> {
    let fine = fine_del_giorno(giornata.giorno);
    let mut composto = Composto::new(giornata);
    let mut fino_a = dopo;
    'giorno: loop {
        let pagina = store.iscrizioni(giornata.registro, fino_a, PAGINA).await?;
        let ultima = pagina.len() < PAGINA as usize;
        for iscrizione in &pagina {
            if iscrizione.registrata_il >= fine {
                break 'giorno;
            }
            composto.iscrizione(iscrizione);
            fino_a = (iscrizione.anno, iscrizione.numero);
        }
        if ultima {
            break;
        }
    }
    let fatti = store
        .fatti(giornata.registro, inizio_del_giorno(giornata.giorno), fine)
        .await?;
    Ok(Giornaliero::new(giornata, fino_a, composto.finish(&fatti)))
}
