//! The registration of a batch: one transaction, BEGIN IMMEDIATE to COMMIT. Whoever holds that lock is the only one who
//! writes, so keys and live sheets are looked up, not fought for; a number is drawn only for acts that found both free,
//! and what did not take leaves nothing. The unique indexes stand behind it: if one of them ever speaks, nothing of
//! the batch was written. Order of the promises: design.md §2.7 (keys), §2.8 (numbers), §2.9 (batches).

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tokio::sync::MutexGuard;

use super::giro::Giro;
use super::insert::insert_all;
use super::row::rollback;
use super::{Presa, Scrittura, SqliteStore, egov, lotti, query};
use crate::domanda::{Avente, CodiceFiscale};
use crate::ricevuta::Registrata;
use crate::store::ancore::Ancore;
use crate::store::registro::{
    Numeri, Richiesta, RigaContatore, Scritte, Sorte, Visto, Vive, avente, compose, decide, outcomes,
    registri,
};
use crate::store::transazione::Registrante;
use crate::store::valori::{Riga, insert_aperte};
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
        let mut giro = Giro::default();
        giro.begin();
        let guardati = look(connessione, giro, atti).await?;
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
    contatori: Contatori,
}

/// Where the numbers stand.
#[derive(Default)]
struct Contatori {
    domanda: u64,
    registrazione: i64,
    registri: HashMap<String, RigaContatore>,
}

/// What the transaction reads before it decides, all of it in one trip, after what `giro` asks already.
pub(super) async fn look(
    connessione: &mut SqliteConnection,
    mut giro: Giro,
    atti: &[&Atto],
) -> Result<Guardati, StoreError> {
    if atti.is_empty() {
        return Ok(Guardati::default());
    }
    let chiavi = atti.iter().map(|atto| &atto.chiave);
    let registrate = query::ask_registrate(&mut giro, chiavi.clone());
    let di_lotti = lotti::ask_keys(&mut giro, chiavi.clone());
    let vive = query::ask_vive(&mut giro, minori(atti));
    let aperte: Vec<_> = aventi(atti)
        .into_iter()
        .map(|(servizio, aventi)| (servizio, query::ask_aperte(&mut giro, servizio, &aventi)))
        .collect();
    let attuali = query::ask_attuali(&mut giro, atti);
    let buste = egov::ask_known(&mut giro, atti.iter().filter_map(|atto| atto.busta()));
    let numeri = giro.ask(
        "SELECT
             (SELECT ultimo FROM contatori WHERE nome = 'domanda') AS domanda,
             (SELECT coalesce(max(id), 0) FROM registrazioni) AS registrazione",
        |_| {},
    );
    let registri = giro.ask(
        "SELECT registro, anno, ultimo, ultimo_istante, chiuso_fino_a, emergenza FROM registro",
        |_| {},
    );

    let risposte = giro.fetch(connessione).await?;
    let mut visto = Visto {
        gia_registrate: query::registrate_from(risposte.of(registrate))?,
        di_lotti: lotti::keys_from(risposte.of(di_lotti), &chiavi)?,
        vive: vive_from(risposte.of(vive))?,
        attuali: query::attuali_from(risposte.of(attuali))?,
        buste: egov::known_from(risposte.of(buste))?,
        ..Visto::default()
    };
    for (servizio, posto) in aperte {
        insert_aperte(&mut visto.aperte, servizio, risposte.of(posto))?;
    }
    Ok(Guardati {
        sorti: decide(atti, &visto),
        visto,
        contatori: contatori_from(risposte.of(numeri), risposte.of(registri))?,
    })
}

/// The children of these acts, each with its service.
fn minori<'a>(atti: &'a [&Atto]) -> impl Iterator<Item = (&'static str, &'a CodiceFiscale)> {
    atti.iter().flat_map(|atto| {
        let schede = atto.contenuto.schede();
        schede.map(|scheda| (atto.chiave.servizio, &scheda.codice_fiscale))
    })
}

fn vive_from(righe: &[SqliteRow]) -> Result<Vive, Inconsistency> {
    let vive = query::vive_from(righe)?.into_iter();
    Ok(vive
        .map(|(servizio, viva)| ((servizio, viva.codice_fiscale.as_str().to_owned()), viva))
        .collect())
}

/// Whose domande these acts open, by service.
fn aventi<'a>(atti: &'a [&Atto]) -> HashMap<&'static str, Vec<&'a Avente>> {
    let mut aventi: HashMap<_, Vec<_>> = HashMap::new();
    for (servizio, avente) in atti.iter().filter_map(|atto| avente(atto)) {
        aventi.entry(servizio).or_default().push(avente);
    }
    aventi
}

fn contatori_from(numeri: &[SqliteRow], registri: &[SqliteRow]) -> Result<Contatori, Inconsistency> {
    // No row is no beginning: a counter that was not read must never count from nothing.
    let row = numeri
        .first()
        .ok_or_else(|| Inconsistency::new("contatori", "ultimo", "the counters were not told"))?;
    let riga = Riga {
        table: "contatori",
        row,
    };
    let mut contatori = Contatori {
        domanda: riga.count("domanda")?,
        registrazione: riga.get("registrazione")?,
        registri: HashMap::with_capacity(registri.len()),
    };
    for row in registri {
        let riga = Riga {
            table: "registro",
            row,
        };
        let contatore = (
            riga.get("anno")?,
            riga.get("ultimo")?,
            riga.get("ultimo_istante")?,
            riga.get("chiuso_fino_a")?,
            riga.get("emergenza")?,
        );
        contatori.registri.insert(riga.get("registro")?, contatore);
    }
    Ok(contatori)
}

/// What it writes.
pub(super) async fn write(
    store: &SqliteStore,
    connessione: &mut SqliteConnection,
    atti: &[&Atto],
    guardati: Guardati,
    richieste: Vec<Richiesta>,
    adesso: Timestamp,
) -> Result<Scritte, StoreError> {
    let Guardati {
        visto,
        sorti,
        mut contatori,
    } = guardati;
    let mut nuove = Vec::new();
    if sorti.iter().any(|sorte| matches!(sorte, Sorte::Accolto)) {
        let mut numeri = Numeri::after(contatori.domanda, &store.ancore)?;
        for registro in registri(atti) {
            let riga = contatori.registri.remove(registro);
            numeri.insert(registro, adesso, riga, &store.ancore)?;
        }
        let mut id = contatori.registrazione;
        let next = |_: &Atto| {
            id += 1;
            Ok(id)
        };
        nuove = compose(store.ambiente, atti, &sorti, richieste, &visto, &mut numeri, next)?;
        insert_all(connessione, &numeri, &nuove).await?;
        return Ok(outcomes(atti, sorti, &nuove)?.drawn(&numeri, nuove.len()));
    }
    outcomes(atti, sorti, &nuove)
}

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
