//! The registration of a batch: one transaction, BEGIN IMMEDIATE to COMMIT. Whoever holds that lock is the only one who
//! writes, so keys and live sheets are looked up, not fought for; a number is drawn only for acts that found both free,
//! and what did not take leaves nothing. The unique indexes stand behind it: if one of them ever speaks, nothing of
//! the batch was written. Order of the promises: design.md §2.7 (keys), §2.8 (numbers), §2.9 (batches).

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::MutexGuard;

use super::batch::{Inserimento, Tabella};
use super::insert::insert_all;
use super::row::{begin, guasto};
use super::{Scrittura, SqliteStore, egov, lotti, query};
use crate::ricevuta::Registrata;
use crate::store::registro::{
    Aperte, Numeri, Nuova, Richiesta, Scritte, Sorte, Visto, Vive, avente, decide, outcomes, pack_richieste,
    registri, were_written,
};
use crate::store::valori::intero;
use crate::store::{Atto, Chiave, Inconsistency, Registrazione, StoreError};

/// Registers a batch: see [`crate::store::Store::register`].
pub(super) async fn register(
    store: &SqliteStore,
    atti: &[Atto],
    adesso: Timestamp,
) -> Result<Vec<Registrazione>, StoreError> {
    if atti.is_empty() {
        return Ok(Vec::new());
    }
    let atti: Vec<&Atto> = atti.iter().collect();
    // Before the lock, because nobody else can write while we hold it.
    let richieste = pack_richieste(&atti).await;

    let mut presa = store.take().await?;
    presa.settle().await?;
    begin(&mut presa.connessione).await?;
    let connessione = &mut presa.connessione;
    let scritte = match look(connessione, &atti).await {
        Ok(guardati) => write(store, connessione, &atti, guardati, richieste, adesso).await,
        Err(errore) => Err(errore),
    };
    let Scritte { esiti, tratti, .. } = match scritte {
        Ok(scritte) => scritte,
        Err(errore) => {
            presa.discard().await;
            return Err(errore);
        }
    };
    let esiti = match presa.commit().await {
        Ok(()) => esiti,
        Err((scrittura, causa)) => read_back(store, scrittura, &atti, esiti, causa).await?,
    };
    store.ancore.tell(tratti.as_ref(), adesso);
    Ok(esiti)
}

/// Some acts, looked at under the lock.
#[derive(Default)]
pub(super) struct Guardati {
    pub(super) visto: Visto,
    /// What becomes of each.
    pub(super) sorti: Vec<Sorte>,
}

/// What the transaction reads before it decides.
pub(super) async fn look(connessione: &mut SqliteConnection, atti: &[&Atto]) -> Result<Guardati, StoreError> {
    if atti.is_empty() {
        return Ok(Guardati::default());
    }
    let gia_registrate = query::registrate(connessione, atti.iter().map(|atto| &atto.chiave)).await?;
    let visto = Visto {
        di_lotti: lotti::keys(connessione, atti.iter().map(|atto| &atto.chiave)).await?,
        vive: live_sheets(connessione, atti, &gia_registrate).await?,
        aperte: open_domande(connessione, atti, &gia_registrate).await?,
        attuali: query::attuali(connessione, atti).await?,
        buste: egov::known(connessione, atti.iter().filter_map(|atto| atto.busta())).await?,
        gia_registrate,
        ..Visto::default()
    };
    Ok(Guardati {
        sorti: decide(atti, &visto),
        visto,
    })
}

/// What it writes.
pub(super) async fn write(
    store: &SqliteStore,
    connessione: &mut SqliteConnection,
    atti: &[&Atto],
    Guardati { visto, sorti }: Guardati,
    richieste: Vec<Richiesta>,
    adesso: Timestamp,
) -> Result<Scritte, StoreError> {
    let mut nuove = Vec::new();
    if sorti.iter().any(|sorte| matches!(sorte, Sorte::Accolto)) {
        let (mut numeri, mut id) = load(store, connessione, atti, adesso).await?;
        for ((atto, sorte), richiesta) in atti.iter().zip(&sorti).zip(richieste) {
            if matches!(sorte, Sorte::Accolto) {
                id += 1;
                nuove.push(Nuova::compose(
                    store.ambiente,
                    id,
                    atto,
                    richiesta,
                    &visto,
                    &mut numeri,
                )?);
            }
        }
        save(connessione, &numeri).await?;
        insert_all(connessione, &nuove).await?;
        return Ok(outcomes(atti, sorti, &nuove)?.drawn(&numeri, nuove.len()));
    }
    outcomes(atti, sorti, &nuove)
}

/// COMMIT did not say yes: what became of it? On a new connection every key is read back. A transaction is there
/// whole or not at all: with every new registration found, all was told true; else nothing was registered.
async fn read_back(
    store: &SqliteStore,
    scrittura: MutexGuard<'_, Scrittura>,
    atti: &[&Atto],
    esiti: Vec<Registrazione>,
    causa: StoreError,
) -> Result<Vec<Registrazione>, StoreError> {
    tracing::warn!("commit failed, reading the keys back: {causa}");
    let Some(mut presa) = store.take_settled(scrittura).await else {
        return Err(causa);
    };
    let chiavi = atti.iter().map(|atto| &atto.chiave);
    let trovate = query::registrate(&mut presa.connessione, chiavi).await?;
    presa.give_back();
    if were_written(atti, &esiti, &trovate) {
        Ok(esiti)
    } else {
        Err(causa)
    }
}

/// The live sheets of the children of these acts, by service and codice fiscale.
async fn live_sheets(
    connessione: &mut SqliteConnection,
    atti: &[&Atto],
    gia_registrate: &HashMap<Chiave, Registrata>,
) -> Result<Vive, StoreError> {
    let mut minori: HashMap<&'static str, Vec<_>> = HashMap::new();
    for atto in atti
        .iter()
        .filter(|atto| !gia_registrate.contains_key(&atto.chiave))
    {
        let schede = atto.contenuto.schede();
        minori
            .entry(atto.chiave.servizio)
            .or_default()
            .extend(schede.map(|scheda| scheda.codice_fiscale.clone()));
    }
    let mut vive = Vive::new();
    for (servizio, minori) in minori {
        for viva in query::schede_vive(connessione, servizio, &minori).await? {
            vive.insert((servizio, viva.codice_fiscale.as_str().to_owned()), viva);
        }
    }
    Ok(vive)
}

/// The live domande of whose domande these acts open.
async fn open_domande(
    connessione: &mut SqliteConnection,
    atti: &[&Atto],
    gia_registrate: &HashMap<Chiave, Registrata>,
) -> Result<Aperte, StoreError> {
    let mut aventi: HashMap<&'static str, Vec<_>> = HashMap::new();
    let nuovi = atti
        .iter()
        .filter(|atto| !gia_registrate.contains_key(&atto.chiave));
    for (servizio, avente) in nuovi.filter_map(|atto| avente(atto)) {
        aventi.entry(servizio).or_default().push(avente);
    }
    let mut aperte = Aperte::new();
    for (servizio, aventi) in aventi {
        aperte.extend(query::domande_vive(connessione, servizio, &aventi).await?);
    }
    Ok(aperte)
}

/// The counters of these acts' registers, and the id of the last registration.
async fn load(
    store: &SqliteStore,
    connessione: &mut SqliteConnection,
    atti: &[&Atto],
    adesso: Timestamp,
) -> Result<(Numeri, i64), StoreError> {
    let (ultima_domanda, ultima_registrazione): (i64, i64) = sqlx::query_as(
        "SELECT
             (SELECT ultimo FROM contatori WHERE nome = 'domanda'),
             (SELECT coalesce(max(id), 0) FROM registrazioni)",
    )
    .fetch_one(&mut *connessione)
    .await
    .map_err(guasto)?;
    let ultima_domanda =
        u64::try_from(ultima_domanda).map_err(|source| Inconsistency::new("contatori", "ultimo", source))?;
    let mut numeri = Numeri::after(ultima_domanda, &store.ancore)?;
    for registro in registri(atti) {
        let riga = sqlx::query_as(
            "SELECT anno, ultimo, ultimo_istante, chiuso_fino_a, emergenza FROM registro WHERE registro = ?",
        )
        .bind(registro)
        .fetch_optional(&mut *connessione)
        .await
        .map_err(guasto)?;
        numeri.insert(registro, adesso, riga, &store.ancore)?;
    }
    Ok((numeri, ultima_registrazione))
}

/// Writes the counters back.
async fn save(connessione: &mut SqliteConnection, numeri: &Numeri) -> Result<(), StoreError> {
    let mut inserimento = Inserimento::default();
    inserimento.rows(REGISTRO, &numeri.registri(), |valori, (registro, contatore)| {
        valori
            .text(registro)
            .push(contatore.anno)
            .push(intero(contatore.ultimo))
            .push(contatore.istante.as_millisecond());
    });
    inserimento.rows(CONTATORI, &[numeri.ultima_domanda()], |valori, ultima| {
        valori.push(intero(*ultima));
    });
    inserimento.execute(connessione).await
}

const REGISTRO: Tabella = Tabella {
    testa: "INSERT INTO registro (registro, anno, ultimo, ultimo_istante)",
    riga: "(?,?,?,?)",
    coda: " ON CONFLICT (registro) DO UPDATE SET
        anno = excluded.anno,
        ultimo = excluded.ultimo,
        ultimo_istante = excluded.ultimo_istante",
};

const CONTATORI: Tabella = Tabella {
    testa: "INSERT INTO contatori (nome, ultimo)",
    riga: "('domanda',?)",
    coda: " ON CONFLICT (nome) DO UPDATE SET ultimo = excluded.ultimo",
};

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::domanda::{Ambiente, Dettagli, Fascicolo, Pagamento, Richiedente};
    use crate::prestazione::Operazione;
    use crate::prestazione::assegno_temporaneo::PRESTAZIONE;
    use crate::ricevuta::Digest;
    use crate::store::{Contenuto, OpenOptions, Store as _};
    use crate::trace::Traccia;

    fn atto(chiave: &str) -> Atto {
        Atto {
            chiave: Chiave {
                ente: "PAT01".parse().unwrap(),
                servizio: PRESTAZIONE.servizio,
                chiave: chiave.parse().unwrap(),
            },
            prestazione: &PRESTAZIONE,
            digest: Digest([1; 32]),
            impronta: [2; 32],
            presentata_il: "2021-07-01T08:00:00Z".parse().unwrap(),
            ente_denominazione: String::new(),
            codice_ufficio: "001".parse().unwrap(),
            user_id: "op".parse().unwrap(),
            certificato_sha256: String::new(),
            canale: "MODI",
            emergenza: None,
            operazione: Operazione::InviaDomanda,
            contenuto: Contenuto::Domanda(Fascicolo {
                data_pratica: None,
                mandato_numero: String::new(),
                mandato_data: "2021-06-29".parse().unwrap(),
                richiedente: Richiedente {
                    codice_fiscale: "RSSMRA80A01H501U".parse().unwrap(),
                    nome: String::new(),
                    cognome: String::new(),
                    email: None,
                    cellulare: None,
                    indirizzo: None,
                },
                presentata_da: "GENITORE",
                genitore_tutelato: None,
                pagamento: Pagamento {
                    modalita: "BD",
                    iban: None,
                    intestato_richiedente: None,
                },
                schede: Vec::new(),
                dichiarazioni: Vec::new(),
                allegati: Vec::new(),
                dettagli: Dettagli::default(),
                avente: None,
                oggetto: String::new(),
            }),
            richiesta: Bytes::new(),
            contenuto_in_richiesta: (0, 0),
            traccia: Traccia::default(),
            stampa: |ricevuta| ricevuta.protocollo.to_string().into_bytes(),
        }
    }

    /// A store whose last COMMIT did not answer: its connection is gone, and it is under suspicion.
    async fn after_silent_commit(
        store: &SqliteStore,
        atto: &Atto,
        esiti: Vec<Registrazione>,
    ) -> Result<Vec<Registrazione>, StoreError> {
        let mut scrittura = store.scrittura.lock().await;
        scrittura.connessione = None;
        scrittura.sospetta = true;
        let causa = StoreError::unavailable("no answer to COMMIT");
        read_back(store, scrittura, &[atto], esiti, causa).await
    }

    #[tokio::test]
    async fn a_commit_without_an_answer_is_told_as_what_became_of_it() {
        let cartella = tempfile::tempdir().unwrap();
        let adesso = "2021-07-01T08:00:00Z".parse().unwrap();
        let options = OpenOptions {
            create: true,
            ..OpenOptions::new(Ambiente::Sandbox, adesso)
        };
        let (store, _) = SqliteStore::open(&cartella.path().join("store.db"), &options)
            .await
            .unwrap();

        let scritto = atto("scritto");
        let esiti = store
            .register(std::slice::from_ref(&scritto), adesso)
            .await
            .unwrap();
        let detti = after_silent_commit(&store, &scritto, esiti.clone())
            .await
            .unwrap();
        assert_eq!(detti, esiti);

        // The same answer for a key that the store never got: our fault, never a number, never a refusal.
        let perso = after_silent_commit(&store, &atto("perso"), esiti)
            .await
            .unwrap_err();
        assert_eq!(perso.to_string(), "store unavailable: no answer to COMMIT");
        assert!(!store.scrittura.lock().await.sospetta, "looked over on the way");
    }
}
