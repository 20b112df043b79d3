//! The registration of a batch: one transaction, BEGIN IMMEDIATE to COMMIT. Whoever holds that lock is the only one who
//! writes, so keys and live sheets are looked up, not fought for; a number is drawn only for acts that found both free,
//! and what did not take leaves nothing. The unique indexes stand behind it: if one of them ever speaks, nothing of
//! the batch was written. Order of the promises: design.md §2.7 (keys), §2.8 (numbers), §2.9 (batches).

use std::collections::HashMap;

use bytes::Bytes;
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::MutexGuard;

use super::batch::{Inserimento, Tabella};
use super::insert::{Nuova, insert_all};
use super::row::{begin, guasto, intero};
use super::{Scrittura, SqliteStore, query};
use crate::domanda::SchedaViva;
use crate::protocollo::{NumeroDomanda, NumeroProtocollo, data_a_roma};
use crate::ricevuta::{DIGEST_VERSIONE, Registrata};
use crate::store::codec::{Conservati, pack};
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
    // Before the lock, because nobody else can write while we hold it.
    let richieste = pack_richieste(atti).await;

    let mut presa = store.take().await?;
    presa.settle().await?;
    begin(&mut presa.connessione).await?;
    let esiti = match write(store, &mut presa.connessione, atti, richieste, adesso).await {
        Ok(esiti) => esiti,
        Err(errore) => {
            presa.discard().await;
            return Err(errore);
        }
    };
    match presa.commit().await {
        Ok(()) => Ok(esiti),
        Err((scrittura, causa)) => read_back(store, scrittura, atti, esiti, causa).await,
    }
}

/// All that the transaction does between BEGIN and COMMIT.
async fn write(
    store: &SqliteStore,
    connessione: &mut SqliteConnection,
    atti: &[Atto],
    richieste: Vec<Conservati>,
    adesso: Timestamp,
) -> Result<Vec<Registrazione>, StoreError> {
    let gia_registrate = query::registrate(connessione, atti.iter().map(|atto| &atto.chiave)).await?;
    let vive = live_sheets(connessione, atti, &gia_registrate).await?;
    let sorti = decide(atti, &gia_registrate, vive);

    let accolti = sorti
        .iter()
        .filter(|sorte| matches!(sorte, Sorte::Accolto))
        .count();
    let mut nuove = Vec::with_capacity(accolti);
    if accolti > 0 {
        let mut numeri = Numeri::load(connessione, atti, adesso).await?;
        for ((atto, sorte), richiesta) in atti.iter().zip(&sorti).zip(richieste) {
            if matches!(sorte, Sorte::Accolto) {
                nuove.push(Nuova::compose(store, atto, richiesta, &mut numeri)?);
            }
        }
        numeri.save(connessione).await?;
        insert_all(connessione, &nuove).await?;
    }
    outcomes(atti, sorti, &nuove)
}

/// What becomes of one act.
enum Sorte {
    /// Key and children are free: it gets the next number.
    Accolto,
    /// The key is taken by a registration of before.
    GiaRegistrato(Registrata),
    /// The key is taken by the act at that place of this very batch.
    CopiaDi(usize),
    /// These children (by place) have a live sheet.
    SchedaViva(Vec<(u32, SchedaViva)>),
}

/// Decides in the order of the batch, which is the order of arrival.
fn decide(
    atti: &[Atto],
    gia_registrate: &HashMap<Chiave, Registrata>,
    mut vive: HashMap<(&'static str, String), SchedaViva>,
) -> Vec<Sorte> {
    let mut accolti: HashMap<&Chiave, usize> = HashMap::new();
    let mut sorti = Vec::with_capacity(atti.len());
    for (posto, atto) in atti.iter().enumerate() {
        if let Some(registrata) = gia_registrate.get(&atto.chiave) {
            sorti.push(Sorte::GiaRegistrato(registrata.clone()));
            continue;
        }
        if let Some(primo) = accolti.get(&atto.chiave) {
            sorti.push(Sorte::CopiaDi(*primo));
            continue;
        }
        let servizio = atto.chiave.servizio;
        let mut propri: HashMap<_, SchedaViva> = HashMap::new();
        let mut gia_vive = Vec::new();
        for scheda in &atto.fascicolo.schede {
            let chiave = (servizio, scheda.codice_fiscale.as_str().to_owned());
            let viva = vive.get(&chiave).filter(|viva| !scheda.takes_place_of(viva));
            if let Some(viva) = viva.or_else(|| propri.get(&chiave)) {
                gia_vive.push((scheda.posto, viva.clone()));
                continue;
            }
            let presentata = SchedaViva {
                codice_fiscale: scheda.codice_fiscale.clone(),
                stato: PRESENTATA.to_owned(),
                subentrata: scheda.subentra,
            };
            propri.insert(chiave, presentata);
        }
        if gia_vive.is_empty() {
            vive.extend(propri);
            accolti.insert(&atto.chiave, posto);
            sorti.push(Sorte::Accolto);
        } else {
            sorti.push(Sorte::SchedaViva(gia_vive));
        }
    }
    sorti
}

/// The outcome of each act, told from what was decided and what was written.
fn outcomes(atti: &[Atto], sorti: Vec<Sorte>, nuove: &[Nuova<'_>]) -> Result<Vec<Registrazione>, StoreError> {
    let mut per_posto: HashMap<usize, &Registrata> = HashMap::with_capacity(nuove.len());
    let mut in_ordine = nuove.iter();
    let mut esiti = Vec::with_capacity(atti.len());
    for (posto, (atto, sorte)) in atti.iter().zip(sorti).enumerate() {
        esiti.push(match sorte {
            Sorte::Accolto => {
                let scritta = in_ordine.next().ok_or_else(misura)?;
                per_posto.insert(posto, &scritta.registrata);
                Registrazione::Registrata(scritta.registrata.clone())
            }
            Sorte::GiaRegistrato(registrata) => again(atto, registrata),
            Sorte::CopiaDi(primo) => {
                let registrata = per_posto.get(&primo).ok_or_else(misura)?;
                again(atto, (*registrata).clone())
            }
            Sorte::SchedaViva(vive) => Registrazione::SchedaViva(vive),
        });
    }
    Ok(esiti)
}

/// The same key again: a repetition when the content is the same, else a conflict.
fn again(atto: &Atto, registrata: Registrata) -> Registrazione {
    if registrata.digest == atto.digest && registrata.digest_versione == DIGEST_VERSIONE {
        Registrazione::Ripetuta(registrata)
    } else {
        Registrazione::Conflitto(registrata)
    }
}

/// There is one new registration for each accepted act: anything else is a mistake of this module.
fn misura() -> StoreError {
    Inconsistency::new("registrazioni", "id", "fewer rows than accepted acts").into()
}

/// COMMIT did not say yes: what became of it? On a new connection every key is read back. A transaction is there
/// whole or not at all: with every new registration found, all was told true; else nothing was registered.
async fn read_back(
    store: &SqliteStore,
    scrittura: MutexGuard<'_, Scrittura>,
    atti: &[Atto],
    esiti: Vec<Registrazione>,
    causa: StoreError,
) -> Result<Vec<Registrazione>, StoreError> {
    tracing::warn!("commit failed, reading the keys back: {causa}");
    let Ok(mut presa) = store.take_from(scrittura).await else {
        return Err(causa);
    };
    if let Err(ancora) = presa.settle().await {
        tracing::error!("the store cannot be settled, no number is drawn until it is: {ancora}");
        presa.discard().await;
        return Err(causa);
    }
    let chiavi = atti.iter().map(|atto| &atto.chiave);
    let trovate = query::registrate(&mut presa.connessione, chiavi).await?;
    presa.give_back();
    let scritta = |(atto, esito): (&Atto, &Registrazione)| match esito {
        Registrazione::Registrata(registrata) => trovate.get(&atto.chiave) == Some(registrata),
        Registrazione::Ripetuta(_) | Registrazione::Conflitto(_) | Registrazione::SchedaViva(_) => true,
    };
    if atti.iter().zip(&esiti).all(scritta) {
        Ok(esiti)
    } else {
        Err(causa)
    }
}

/// The live sheets of the children of these acts, by service and codice fiscale.
async fn live_sheets(
    connessione: &mut SqliteConnection,
    atti: &[Atto],
    gia_registrate: &HashMap<Chiave, Registrata>,
) -> Result<HashMap<(&'static str, String), SchedaViva>, StoreError> {
    let mut minori: HashMap<&'static str, Vec<_>> = HashMap::new();
    for atto in atti
        .iter()
        .filter(|atto| !gia_registrate.contains_key(&atto.chiave))
    {
        let schede = atto.fascicolo.schede.iter();
        minori
            .entry(atto.chiave.servizio)
            .or_default()
            .extend(schede.map(|scheda| scheda.codice_fiscale.clone()));
    }
    let mut vive = HashMap::new();
    for (servizio, minori) in minori {
        for viva in query::schede_vive(connessione, servizio, &minori).await? {
            vive.insert((servizio, viva.codice_fiscale.as_str().to_owned()), viva);
        }
    }
    Ok(vive)
}

/// The counters, read under the lock and written back before it is let go.
pub(super) struct Numeri {
    registri: HashMap<&'static str, Contatore>,
    ultima_domanda: u64,
    ultima_registrazione: u64,
}

/// What one registration draws.
pub(super) struct Estratti {
    pub(super) id: i64,
    pub(super) protocollo: NumeroProtocollo,
    pub(super) numero_domanda: NumeroDomanda,
    pub(super) registrata_il: Timestamp,
}

/// The row of one register.
struct Contatore {
    anno: i16,
    ultimo: u64,
    istante: Timestamp,
}

impl Numeri {
    async fn load(
        connessione: &mut SqliteConnection,
        atti: &[Atto],
        adesso: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut contatori = HashMap::new();
        for atto in atti {
            let registro = atto.prestazione.registro;
            if !contatori.contains_key(registro) {
                contatori.insert(registro, Contatore::load(connessione, registro, adesso).await?);
            }
        }
        let (domanda, registrazione): (i64, i64) = sqlx::query_as(
            "SELECT
                 (SELECT ultimo FROM contatori WHERE nome = 'domanda'),
                 (SELECT coalesce(max(id), 0) FROM registrazioni)",
        )
        .fetch_one(connessione)
        .await
        .map_err(guasto)?;
        let conto = |column, valore: i64| {
            u64::try_from(valore).map_err(|source| Inconsistency::new("contatori", column, source))
        };
        Ok(Self {
            registri: contatori,
            ultima_domanda: conto("ultimo", domanda)?,
            ultima_registrazione: conto("id", registrazione)?,
        })
    }

    /// Draws the next number of a register, and the next domanda with it.
    pub(super) fn draw(&mut self, registro: &'static str) -> Result<Estratti, StoreError> {
        let contatore = self.registri.get_mut(registro).ok_or_else(misura)?;
        let protocollo = contatore.next(registro)?;
        self.ultima_domanda += 1;
        self.ultima_registrazione += 1;
        Ok(Estratti {
            id: intero(self.ultima_registrazione),
            protocollo,
            numero_domanda: NumeroDomanda(self.ultima_domanda),
            registrata_il: contatore.istante,
        })
    }

    async fn save(&self, connessione: &mut SqliteConnection) -> Result<(), StoreError> {
        let registri: Vec<_> = self.registri.iter().collect();
        let mut inserimento = Inserimento::default();
        inserimento.rows(REGISTRO, &registri, |valori, (registro, contatore)| {
            valori
                .text(registro)
                .push(contatore.anno)
                .push(intero(contatore.ultimo))
                .push(contatore.istante.as_millisecond());
        });
        inserimento.rows(CONTATORI, &[self.ultima_domanda], |valori, ultima| {
            valori.push(intero(*ultima));
        });
        inserimento.execute(connessione).await
    }
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

impl Contatore {
    /// The register's row, moved to the instant of this batch: never before the last one, never in a closed day; a
    /// new year in Rome begins at 1.
    async fn load(
        connessione: &mut SqliteConnection,
        registro: &'static str,
        adesso: Timestamp,
    ) -> Result<Self, StoreError> {
        let riga: Option<(i16, i64, i64, i64)> = sqlx::query_as(
            "SELECT anno, ultimo, ultimo_istante, chiuso_fino_a FROM registro WHERE registro = ?",
        )
        .bind(registro)
        .fetch_optional(connessione)
        .await
        .map_err(guasto)?;
        let (anno, ultimo, ultimo_istante, chiuso_fino_a) = riga.unwrap_or((0, 0, i64::MIN, i64::MIN));
        let ms = adesso.as_millisecond().max(ultimo_istante).max(chiuso_fino_a);
        let istante = Timestamp::from_millisecond(ms)
            .map_err(|source| Inconsistency::new("registro", "ultimo_istante", source))?;
        let anno_ora = data_a_roma(istante).year();
        let ultimo = if anno_ora == anno {
            u64::try_from(ultimo).map_err(|source| Inconsistency::new("registro", "ultimo", source))?
        } else {
            0
        };
        Ok(Self {
            anno: anno_ora,
            ultimo,
            istante,
        })
    }

    fn next(&mut self, registro: &'static str) -> Result<NumeroProtocollo, StoreError> {
        let numero = self.ultimo + 1;
        let protocollo = NumeroProtocollo::new(registro, self.anno, numero).ok_or_else(|| {
            StoreError::Refused(format!(
                "register {registro} cannot number {numero} in {}",
                self.anno
            ))
        })?;
        self.ultimo = numero;
        Ok(protocollo)
    }
}

/// The state in which every sheet begins.
const PRESENTATA: &str = "PRESENTATA";

/// Compresses the requests; long ones away from the threads that serve connections.
async fn pack_richieste(atti: &[Atto]) -> Vec<Conservati> {
    let in_tutto: usize = atti.iter().map(|atto| atto.richiesta.len()).sum();
    if in_tutto > COMPRESSIONE_IN_DISPARTE {
        let richieste: Vec<Bytes> = atti.iter().map(|atto| atto.richiesta.clone()).collect();
        let in_disparte =
            tokio::task::spawn_blocking(move || richieste.iter().map(|richiesta| pack(richiesta)).collect());
        if let Ok(compresse) = in_disparte.await {
            return compresse;
        }
    }
    atti.iter().map(|atto| pack(&atto.richiesta)).collect()
}

/// From so many bytes on a batch is compressed on a thread of its own (some milliseconds' work).
const COMPRESSIONE_IN_DISPARTE: usize = 512 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domanda::{Ambiente, Dettagli, Fascicolo, Pagamento, Richiedente};
    use crate::prestazione::assegno_temporaneo::PRESTAZIONE;
    use crate::ricevuta::Digest;
    use crate::store::Store as _;
    use crate::store::sqlite::OpenOptions;
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
            fascicolo: Fascicolo {
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
                oggetto: String::new(),
            },
            richiesta: Bytes::new(),
            domanda_in_richiesta: (0, 0),
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
        read_back(store, scrittura, std::slice::from_ref(atto), esiti, causa).await
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
