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
use super::row::{begin, guasto, rollback};
use super::{Presa, Scrittura, SqliteStore, egov, lotti, query};
use crate::ricevuta::Registrata;
use crate::store::ancore::Ancore;
use crate::store::registro::{
    Aperte, Numeri, Richiesta, Scritte, Sorte, Visto, Vive, avente, compose, decide, outcomes, registri,
};
use crate::store::transazione::Registrante;
use crate::store::valori::intero;
use crate::store::{Atto, Chiave, Inconsistency, StoreError};

impl Registrante for SqliteStore {
    type Presa<'s> = Presa<'s>;
    type Sospesa<'s> = MutexGuard<'s, Scrittura>;

    async fn take_for<'s>(&'s self, _: &[&Atto], _: Timestamp) -> Result<Presa<'s>, StoreError> {
        let mut presa = self.take().await?;
        presa.settle().await?;
        Ok(presa)
    }

    async fn transact<'s>(
        &'s self,
        presa: &mut Presa<'s>,
        atti: &[&Atto],
        richieste: Vec<Richiesta>,
        adesso: Timestamp,
    ) -> Result<Scritte, StoreError> {
        let connessione = &mut presa.connessione;
        begin(connessione).await?;
        let guardati = look(connessione, atti).await?;
        write(self, connessione, atti, guardati, richieste, adesso).await
    }

    async fn leave<'s>(&'s self, mut presa: Presa<'s>) -> Result<(), StoreError> {
        rollback(&mut presa.connessione).await?;
        presa.give_back();
        Ok(())
    }

    async fn discard<'s>(&'s self, presa: Presa<'s>) {
        presa.discard().await;
    }

    async fn commit<'s>(&'s self, presa: Presa<'s>) -> Result<(), (MutexGuard<'s, Scrittura>, StoreError)> {
        presa.commit().await
    }

    async fn read_back<'s>(
        &'s self,
        sospesa: MutexGuard<'s, Scrittura>,
        atti: &[&Atto],
    ) -> Result<Option<HashMap<Chiave, Registrata>>, StoreError> {
        let Some(mut presa) = self.take_settled(sospesa).await else {
            return Ok(None);
        };
        let chiavi = atti.iter().map(|atto| &atto.chiave);
        let trovate = query::registrate(&mut presa.connessione, chiavi).await?;
        presa.give_back();
        Ok(Some(trovate))
    }

    fn ancore(&self) -> &Ancore {
        &self.ancore
    }
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
        let next = |_: &Atto| {
            id += 1;
            Ok(id)
        };
        nuove = compose(store.ambiente, atti, &sorti, richieste, &visto, &mut numeri, next)?;
        save(connessione, &numeri).await?;
        insert_all(connessione, &nuove).await?;
        return Ok(outcomes(atti, sorti, &nuove)?.drawn(&numeri, nuove.len()));
    }
    outcomes(atti, sorti, &nuove)
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
    use crate::store::registro::were_written;
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

    /// What is found under the key of an act once its COMMIT did not answer: the connection is gone, and the store under
    /// suspicion.
    async fn after_silent_commit(store: &SqliteStore, atto: &Atto) -> HashMap<Chiave, Registrata> {
        let mut scrittura = store.scrittura.lock().await;
        scrittura.connessione = None;
        scrittura.sospetta = true;
        store.read_back(scrittura, &[atto]).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn after_a_commit_without_an_answer_it_is_found_what_became_of_it() {
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
        let trovate = after_silent_commit(&store, &scritto).await;
        assert!(were_written(&[&scritto], &esiti, &trovate));

        // The same answer for a key that the store never got: our fault, never a number, never a refusal.
        let perso = atto("perso");
        let trovate = after_silent_commit(&store, &perso).await;
        assert!(!were_written(&[&perso], &esiti, &trovate));
        assert!(!store.scrittura.lock().await.sospetta, "looked over on the way");
    }
}
