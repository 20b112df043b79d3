//! What `varco register verify` looks at, over whatever store: numbers and counters, each receipt and request beside the
//! digests that were kept of them, the chain of the daily registers, and each closed day made again from its rows. A byte
//! that was changed, or a row that was taken away, shows at once where a digest is kept of it, and at the latest when its
//! day is closed. Page by page: the register is never in memory, a day is.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::giornaliero::compose;
use super::legale::{Conservato, RegistroLegale, StatoRegistro};
use super::{StoreError, Verifica};
use crate::domanda::sha256::{Sha256, hex};
use crate::protocollo::data_a_roma;
use crate::registro::{Giornata, Iscrizione, PRIMO_ANELLO, inizio_del_giorno};

/// Registrations read at once with their receipts and requests.
const PAGINA: u32 = 50;

/// Looks over the whole register. `avanti` is told how many registrations were seen of how many.
pub async fn esamina(
    store: &dyn RegistroLegale,
    avanti: &(dyn Fn(u64, u64) + Sync),
) -> Result<Verifica, StoreError> {
    let mut verifica = store.verify().await?;
    let registri = store.registri().await?;
    let tutte = registri.iter().map(|stato| stato.quante).sum();
    let mut viste = 0;
    for stato in &registri {
        let mut dopo = (0, 0);
        loop {
            let iscrizioni = match store.iscrizioni(&stato.registro, dopo, PAGINA).await {
                Ok(iscrizioni) => iscrizioni,
                Err(errore) => {
                    verifica.anomalie.push(unreadable(stato, dopo, errore)?);
                    break;
                }
            };
            let conservati = match store.conservati(&stato.registro, dopo, PAGINA).await {
                Ok(conservati) => conservati,
                Err(errore) => {
                    verifica.anomalie.push(unreadable(stato, dopo, errore)?);
                    break;
                }
            };
            for iscrizione in &iscrizioni {
                let numero = (iscrizione.anno, iscrizione.numero);
                if let Some(conservato) = conservati.iter().find(|altro| altro.numero == numero) {
                    verifica.anomalie.extend(beside(iscrizione, conservato));
                }
                dopo = numero;
            }
            viste += iscrizioni.len() as u64;
            avanti(viste, tutte);
            if iscrizioni.len() < PAGINA as usize {
                break;
            }
        }
        verifica.anomalie.extend(days(store, stato).await?);
    }
    verifica.anomalie.extend(store.contraddizioni().await?);
    Ok(verifica.finish())
}

/// What is kept beside the registrations of a register from after a number on, held against them: before they are taken
/// over by another store. What cannot be read is an error.
pub(super) async fn controlla(
    store: &dyn RegistroLegale,
    registro: &str,
    mut dopo: (i16, u64),
) -> Result<Vec<String>, StoreError> {
    let mut anomalie = Vec::new();
    loop {
        let iscrizioni = store.iscrizioni(registro, dopo, PAGINA).await?;
        let conservati = store.conservati(registro, dopo, PAGINA).await?;
        for iscrizione in &iscrizioni {
            let numero = (iscrizione.anno, iscrizione.numero);
            match conservati.iter().find(|altro| altro.numero == numero) {
                Some(conservato) => anomalie.extend(beside(iscrizione, conservato)),
                None => anomalie.push(format!("{}: nothing is kept of it", iscrizione.protocollo)),
            }
            dopo = numero;
        }
        if iscrizioni.len() < PAGINA as usize {
            return Ok(anomalie);
        }
    }
}

/// A row that cannot be read is an anomaly; a store that does not answer is none.
fn unreadable(
    stato: &StatoRegistro,
    (anno, numero): (i16, u64),
    errore: StoreError,
) -> Result<String, StoreError> {
    match errore {
        StoreError::Inconsistency(errore) => Ok(format!(
            "register {}: after {anno}/{numero} a row cannot be read, and nothing behind it was looked at: {errore}",
            stato.registro
        )),
        altro => Err(altro),
    }
}

/// What is kept beside a registration, held against what the registration says of it.
fn beside(iscrizione: &Iscrizione, conservato: &Conservato) -> Vec<String> {
    let protocollo = &iscrizione.protocollo;
    let same = |detto: &Option<String>, bytes: &[u8]| {
        detto
            .as_ref()
            .is_none_or(|detto| *detto == hex(&Sha256::of(bytes)))
    };
    let mut anomalie = Vec::new();
    match &conservato.ricevuta {
        Some(Err(errore)) => anomalie.push(format!("{protocollo}: its receipt cannot be read: {errore}")),
        Some(Ok(ricevuta)) if !same(&iscrizione.ricevuta_sha256, ricevuta) => {
            anomalie.push(format!(
                "{protocollo}: its receipt is not the one that was told (SHA-256)"
            ));
        }
        // That there is none was told with its number.
        Some(Ok(_)) | None => {}
    }
    match &conservato.richiesta {
        None if conservato.scartata => {}
        None => anomalie.push(format!(
            "{protocollo}: its request is not there, and was not purged"
        )),
        Some(Err(errore)) => anomalie.push(format!("{protocollo}: its request cannot be read: {errore}")),
        Some(Ok(richiesta)) => {
            if !same(&iscrizione.richiesta_sha256, richiesta) {
                anomalie.push(format!(
                    "{protocollo}: its request is not the one that was received (SHA-256)"
                ));
            }
            let (da, a) = conservato.domanda_in_richiesta;
            let domanda = richiesta.get(da..a).unwrap_or_default();
            if iscrizione.impronta != hex(&Sha256::of(domanda)) {
                anomalie.push(format!(
                    "{protocollo}: its imprint is not that of the Domanda in its request"
                ));
            }
        }
    }
    if !conservato.chiave {
        anomalie.push(format!("{protocollo}: its ChiaveInvio is not claimed for it"));
    }
    anomalie
}

/// The daily registers of a register: one a closed day, chained, each as its rows still say.
async fn days(store: &dyn RegistroLegale, stato: &StatoRegistro) -> Result<Vec<String>, StoreError> {
    let registro = &stato.registro;
    let giorni: BTreeSet<Date> = match store.giorni(registro).await {
        Ok(giorni) => giorni.into_iter().collect(),
        Err(errore) => return Ok(vec![unreadable(stato, (0, 0), errore)?]),
    };
    let aperto = data_a_roma(stato.chiuso_fino_a);
    let primo = stato
        .primo
        .map(data_a_roma)
        .into_iter()
        .chain(giorni.first().copied())
        .min();
    let Some(primo) = primo else {
        return Ok(Vec::new());
    };
    let mut anomalie = Vec::new();
    if aperto > primo && inizio_del_giorno(aperto) != stato.chiuso_fino_a {
        anomalie.push(format!(
            "register {registro}: it is closed up to an instant that is not the end of a day"
        ));
    }
    for giorno in giorni.range(aperto..) {
        anomalie.push(format!(
            "register {registro}: {giorno} has a daily register, and is not closed"
        ));
    }
    let (mut precedente, mut dopo) = (PRIMO_ANELLO, (0, 0));
    let ultimo = giorni.last().copied().max(aperto.yesterday().ok());
    let giornate = std::iter::successors(Some(primo), |giorno| giorno.tomorrow().ok())
        .take_while(|giorno| Some(*giorno) <= ultimo);
    for giorno in giornate {
        let conservato = match store.giornaliero(registro, giorno).await {
            Ok(Some(conservato)) => conservato,
            Ok(None) => {
                anomalie.push(format!(
                    "register {registro}: {giorno} is closed, and its daily register is not there"
                ));
                continue;
            }
            Err(StoreError::Inconsistency(errore)) => {
                anomalie.push(format!(
                    "register {registro}: the daily register of {giorno} cannot be read: {errore}"
                ));
                continue;
            }
            Err(altro) => return Err(altro),
        };
        if conservato.sha256 != Sha256::of(&conservato.documento) {
            anomalie.push(format!(
                "register {registro}: the daily register of {giorno} does not have its SHA-256"
            ));
        }
        if conservato.precedente != precedente {
            anomalie.push(format!(
                "register {registro}: the daily register of {giorno} is not chained to the day before"
            ));
        }
        let giornata = Giornata {
            ambiente: store.ambiente(),
            registro,
            giorno,
            composto_il: conservato.composto_il,
            precedente: conservato.precedente,
        };
        match compose(store, &giornata, dopo).await {
            Ok(rifatto) => {
                anomalie.extend(conservato.differenze(&rifatto.documento));
                if rifatto.documento == conservato.documento && rifatto.fino_a != conservato.fino_a {
                    anomalie.push(format!(
                        "register {registro}: the daily register of {giorno} does not end where it says"
                    ));
                }
                dopo = rifatto.fino_a;
            }
            Err(errore) => {
                anomalie.push(unreadable(stato, dopo, errore)?);
                dopo = conservato.fino_a;
            }
        }
        precedente = conservato.sha256;
    }
    Ok(anomalie)
}
