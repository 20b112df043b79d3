//! Moving an embedded store to PostgreSQL: every row, and with them the next number. What came in before is answered by
//! the database as the file would have, byte for byte; and from the moment in which the database could, the file cannot.
//!
//! ```text
//! file:      held alone ──────────────────────────────────────── mark "begun" ─────────── mark "moved" ── let go
//! database:  BEGIN, locked ── rows ── compared ── verified ───────────────── COMMIT
//! ```
//!
//! The file is held from before its first row is read to after its last mark: no gateway has it open, none can open it,
//! so no registration comes in between. All that the database gets is one transaction, in which nobody else writes: it
//! is read back and compared row by row, and its register looked over, before COMMIT. The mark *begun* is on the disk
//! before COMMIT is asked for; with it the file refuses every registration (a trigger: also of a gateway that knows of
//! no move) and every gateway that opens it. So at no moment two stores draw numbers, whatever stops us:
//!
//! | stopped | file | database | the same command again |
//! |---|---|---|---|
//! | before *begun* | as it was, in use again at once | empty: rolled back | begins anew |
//! | after *begun*, before COMMIT | refuses gateways | empty | begins anew: nothing of that move is there |
//! | COMMIT not answered | refuses gateways | whole or empty | waits at the old transaction's lock; then as above or below |
//! | after COMMIT, before *moved* | refuses gateways | whole, perhaps already at work | looks it over and marks *moved* |
//! | after *moved* | refuses gateways | at work | looks it over again; changes nothing |
//!
//! Whole or empty is told by the move's id, which stands in both: it was committed with the rows. A COMMIT that failed
//! and is known to have left nothing takes the mark back. Whoever wants the file back after a database was lost for good
//! deletes the marks by hand (docs/esercizio.md): that the database will never come back is nothing a program can know.

pub(in crate::store) mod tabelle;
pub(in crate::store) mod valore;

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use self::tabelle::{Colonne, TABELLE, Tabella, taken, written};
use super::postgres::destinazione::Destinazione;
use super::sqlite::origine::{Origine, Trasferimento};
use super::{OpenOptions, PostgresUrl, StoreError};
use crate::domanda::Ambiente;

/// How to move a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyOptions {
    /// The true time, now.
    pub adesso: Timestamp,
    /// A fresh id for this move.
    pub id: Uuid,
    /// How long to wait for a connection, or for somebody who holds a lock.
    pub attesa: Duration,
    /// How long one statement of PostgreSQL may take.
    pub istruzione: Duration,
}

impl CopyOptions {
    /// The usual patience.
    #[must_use]
    pub fn new(adesso: Timestamp, id: Uuid) -> Self {
        Self {
            adesso,
            id,
            attesa: Duration::from_secs(5),
            istruzione: Duration::from_mins(10),
        }
    }
}

/// What a move has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passo {
    /// It begins: so many rows will be written or compared, each time counted.
    Inizio {
        /// Of all tables.
        righe: u64,
    },
    /// Rows were written.
    Scritte {
        /// Into this table.
        tabella: &'static str,
        /// So many more.
        righe: u64,
    },
    /// Rows were read back and found equal, or not.
    Confrontate {
        /// Of this table.
        tabella: &'static str,
        /// So many more.
        righe: u64,
    },
    /// All is there and as it should be, and the file is marked: COMMIT follows.
    Segnata,
    /// The database is committed: the last mark follows.
    Confermata,
}

/// Who is told what a move has come to.
pub type Avanzamento<'a> = &'a mut (dyn FnMut(Passo) + Send);

/// How a move ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Esito {
    /// All is in the database, and the file is marked as moved.
    Fatta(Copia),
    /// Something is not as promised. Each sentence names table and key, and no personal datum.
    Anomalie {
        /// A move before had committed the database already; else nothing was moved.
        confermata: bool,
        /// What it is.
        trovate: Vec<String>,
    },
}

/// What was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copia {
    /// Whose store it is.
    pub ambiente: Ambiente,
    /// The database already held it all, from a move before.
    pub gia_fatta: bool,
    /// Rows a table of the database: those that were compared and are equal.
    pub tabelle: Vec<(&'static str, u64)>,
    /// What `register verify` saw and where each register stands: in the file.
    pub origine: Stato,
    /// The same in the database.
    pub destinazione: Stato,
}

/// A register as one side has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stato {
    /// So many registrations were looked over; all is well with them.
    pub registrazioni: u64,
    /// The counters.
    pub registri: Vec<Registro>,
}

/// Where a register stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registro {
    /// `AUF`.
    pub registro: String,
    /// The year of its last number.
    pub anno: i64,
    /// Its last number.
    pub ultimo: i64,
}

impl From<(String, i64, i64)> for Registro {
    fn from((registro, anno, ultimo): (String, i64, i64)) -> Self {
        Self {
            registro,
            anno,
            ultimo,
        }
    }
}

/// Moves the embedded store at `da` into the database at `a`, which is empty or laid down and holds nothing yet, or
/// finishes the move that was begun. `a` logs in as the owner of the database.
///
/// An error speaks for the whole move: nothing was moved, or it is not known; the same call again is always safe. So is
/// dropping the future.
pub async fn copy(
    da: &Path,
    a: &PostgresUrl,
    options: &CopyOptions,
    avanza: Avanzamento<'_>,
) -> Result<Esito, StoreError> {
    // Whose the file is, is written in it: that it is one of ours is looked at first.
    let mut aperta = OpenOptions {
        create: true,
        attesa: options.attesa,
        istruzione: options.istruzione,
        lettori: 1,
        ..OpenOptions::new(Ambiente::Produzione, options.adesso)
    };
    let mut origine = Origine::open(da, &aperta).await?;
    aperta.ambiente = origine.ambiente();
    let prima = origine.trasferimento().await?;
    let mut destinazione = Destinazione::open(a, &aperta).await?;
    let qui = destinazione.trasferimento().await?;
    let esito = match prima {
        Some(prima) if qui == Some(prima.id) => {
            finish(&mut origine, destinazione, &prima, options, avanza).await
        }
        Some(prima) if prima.il.is_some() || prima.a != a.to_string() => Err(elsewhere(da, &prima)),
        // Never begun; or begun, and known here to have left nothing.
        Some(_) | None => transfer(&mut origine, destinazione, a, options, avanza).await,
    };
    origine.close().await;
    esito
}

/// A move from its first row to its last mark.
async fn transfer(
    origine: &mut Origine,
    mut destinazione: Destinazione,
    a: &PostgresUrl,
    options: &CopyOptions,
    avanza: Avanzamento<'_>,
) -> Result<Esito, StoreError> {
    if let Some(tabella) = destinazione.occupied().await? {
        return Err(StoreError::Refused(format!(
            "{a}: the database holds rows already ({tabella}); a store is moved into an empty one"
        )));
    }
    gaps(&origine.columns().await?, &destinazione.columns().await?)?;
    let di_qua = match look_over_origin(origine).await? {
        Ok(stato) => stato,
        Err(trovate) => return Ok(nothing_moved(trovate)),
    };

    let mut righe = 0;
    for tabella in TABELLE {
        righe += origine.count(tabella).await?;
    }
    avanza(Passo::Inizio { righe: 2 * righe });
    destinazione.prepare().await?;
    for tabella in TABELLE {
        write(origine, &mut destinazione, tabella, avanza).await?;
    }
    destinazione.settle().await?;

    let mut anomalie = Vec::new();
    let mut tabelle = Vec::new();
    for tabella in TABELLE {
        let quante = compare(origine, &mut destinazione, tabella, &mut anomalie, avanza).await?;
        add(&mut tabelle, tabella.nome, quante);
    }
    // Equal rows, equal in number, and no key twice: nothing is there that was not in the file.
    for (nome, quante) in &tabelle {
        if TABELLE
            .iter()
            .all(|tabella| tabella.nome != *nome || !tabella.predisposta)
        {
            let di_la = destinazione.count(nome).await?;
            if di_la != *quante {
                anomalie.push(format!("{nome}: {quante} rows here, {di_la} there"));
            }
        }
    }
    let di_la = look_over_target(&mut destinazione, &mut anomalie).await?;
    if di_la != di_qua {
        anomalie.push("the registers do not stand at the same number".to_owned());
    }
    if !anomalie.is_empty() {
        destinazione.close().await;
        return Ok(nothing_moved(anomalie));
    }

    destinazione.mark(options.id).await?;
    origine.mark(options.id, &a.to_string()).await?;
    avanza(Passo::Segnata);
    if let Err((sorte, causa)) = destinazione.commit().await {
        match sorte.find_out(options.id, options.attesa).await {
            Ok(true) => {}
            Ok(false) => {
                origine.unmark().await?;
                return Err(causa);
            }
            Err(ancora) => {
                tracing::warn!("the outcome of the move is not known: {ancora}");
                return Err(StoreError::unavailable(format!(
                    "{a}: whether the move was committed is not known ({causa}); repeat the same command, which \
                     looks and finishes it"
                )));
            }
        }
    }
    avanza(Passo::Confermata);
    origine.finish(options.adesso).await?;
    Ok(Esito::Fatta(Copia {
        ambiente: origine.ambiente(),
        gia_fatta: false,
        tabelle,
        origine: di_qua,
        destinazione: di_la,
    }))
}

/// The database has it all: it was committed by the move that the file tells of, and gateways may have gone on with it.
/// What cannot have changed is compared once more, and the last mark set where it is missing.
async fn finish(
    origine: &mut Origine,
    mut destinazione: Destinazione,
    prima: &Trasferimento,
    options: &CopyOptions,
    avanza: Avanzamento<'_>,
) -> Result<Esito, StoreError> {
    destinazione.let_go().await?;
    let di_qua = match look_over_origin(origine).await? {
        Ok(stato) => stato,
        Err(trovate) => {
            return Ok(Esito::Anomalie {
                confermata: true,
                trovate,
            });
        }
    };
    let ferme: Vec<&'static Tabella> = TABELLE.iter().filter(|tabella| tabella.immutabile).collect();
    let mut righe = 0;
    for tabella in &ferme {
        righe += origine.count(tabella).await?;
    }
    avanza(Passo::Inizio { righe });
    let mut anomalie = Vec::new();
    let mut tabelle = Vec::new();
    for tabella in ferme {
        let quante = compare(origine, &mut destinazione, tabella, &mut anomalie, avanza).await?;
        add(&mut tabelle, tabella.nome, quante);
    }
    let di_la = look_over_target(&mut destinazione, &mut anomalie).await?;
    destinazione.close().await;
    if !anomalie.is_empty() {
        return Ok(Esito::Anomalie {
            confermata: true,
            trovate: anomalie,
        });
    }
    if prima.il.is_none() {
        avanza(Passo::Confermata);
        origine.finish(options.adesso).await?;
    }
    Ok(Esito::Fatta(Copia {
        ambiente: origine.ambiente(),
        gia_fatta: true,
        tabelle,
        origine: di_qua,
        destinazione: di_la,
    }))
}

fn nothing_moved(trovate: Vec<String>) -> Esito {
    Esito::Anomalie {
        confermata: false,
        trovate,
    }
}

/// Writes every row of a table, a page after the other; the next is read while one is written.
async fn write(
    origine: &mut Origine,
    destinazione: &mut Destinazione,
    tabella: &'static Tabella,
    avanza: Avanzamento<'_>,
) -> Result<(), StoreError> {
    let mut pagina = origine.page(tabella, None).await?;
    while let Some(ultima) = pagina.last() {
        let (seguente, ()) = tokio::try_join!(
            origine.page(tabella, Some(&ultima.passo)),
            destinazione.write(tabella, &pagina)
        )?;
        avanza(Passo::Scritte {
            tabella: tabella.nome,
            righe: pagina.len() as u64,
        });
        pagina = seguente;
    }
    Ok(())
}

/// Reads every row of a table back, and answers how many there are; what is not equal is an anomaly.
async fn compare(
    origine: &mut Origine,
    destinazione: &mut Destinazione,
    tabella: &'static Tabella,
    anomalie: &mut Vec<String>,
    avanza: Avanzamento<'_>,
) -> Result<u64, StoreError> {
    let mut quante = 0;
    let mut pagina = origine.page(tabella, None).await?;
    while let Some(ultima) = pagina.last() {
        let (seguente, rilette) = tokio::try_join!(
            origine.page(tabella, Some(&ultima.passo)),
            destinazione.read_back(tabella, &pagina)
        )?;
        for (riga, riletta) in pagina.iter().zip(rilette) {
            let diverse = match riletta {
                None => "it is not there".to_owned(),
                Some(riletta) if riletta == riga.valori => continue,
                Some(riletta) => {
                    let valori = riga.valori.iter().zip(&riletta);
                    let diverse: Vec<_> = tabella
                        .colonne
                        .iter()
                        .zip(valori)
                        .filter(|(_, (qui, la))| qui != la)
                        .map(|(colonna, _)| colonna.nome)
                        .collect();
                    format!("other {}", diverse.join(", "))
                }
            };
            if anomalie.len() < ANOMALIE_MAX {
                anomalie.push(format!("{}: {diverse}", tabella.name(riga)));
            }
        }
        quante += pagina.len() as u64;
        avanza(Passo::Confrontate {
            tabella: tabella.nome,
            righe: pagina.len() as u64,
        });
        pagina = seguente;
    }
    Ok(quante)
}

/// So many differences are told; who has more has one cause.
const ANOMALIE_MAX: usize = 100;

/// The file's register: one that is not as promised is not moved.
async fn look_over_origin(origine: &mut Origine) -> Result<Result<Stato, Vec<String>>, StoreError> {
    let verifica = origine.verify().await?;
    if !verifica.anomalie.is_empty() {
        return Ok(Err(verifica.anomalie));
    }
    Ok(Ok(Stato {
        registrazioni: verifica.registrazioni,
        registri: origine.registri().await?,
    }))
}

async fn look_over_target(
    destinazione: &mut Destinazione,
    anomalie: &mut Vec<String>,
) -> Result<Stato, StoreError> {
    let verifica = destinazione.verify().await?;
    anomalie.extend(verifica.anomalie);
    Ok(Stato {
        registrazioni: verifica.registrazioni,
        registri: destinazione.registri().await?,
    })
}

/// A table that is described twice is told once.
fn add(tabelle: &mut Vec<(&'static str, u64)>, nome: &'static str, quante: u64) {
    match tabelle.last_mut() {
        Some((ultima, somma)) if *ultima == nome => *somma += quante,
        _ => tabelle.push((nome, quante)),
    }
}

/// A table or column that the description does not name would be lost without a word.
fn gaps(origine: &Colonne, destinazione: &Colonne) -> Result<(), StoreError> {
    for (chi, ci_sono, descritte) in [
        ("the embedded store", origine, taken()),
        ("PostgreSQL", destinazione, written()),
    ] {
        if let Some(dove) = difference(ci_sono, &descritte).or_else(|| difference(&descritte, ci_sono)) {
            return Err(StoreError::Refused(format!(
                "{dove} of {chi} and the copy's own description do not agree; nothing is moved that this varco does \
                 not know whole"
            )));
        }
    }
    Ok(())
}

/// The first table or column of the one that is not in the other.
fn difference(queste: &Colonne, altre: &Colonne) -> Option<String> {
    queste.iter().find_map(|(tabella, colonne)| {
        let Some(sue) = altre.get(tabella) else {
            return Some(format!("table {tabella}"));
        };
        colonne
            .difference(sue)
            .next()
            .map(|colonna| format!("column {tabella}.{colonna}"))
    })
}

fn elsewhere(da: &Path, prima: &Trasferimento) -> StoreError {
    let Trasferimento { a, il, .. } = prima;
    let da = da.display();
    StoreError::Refused(match il {
        Some(il) => format!("{da}: it was moved to {a} on {il}, and this is not that database"),
        None => format!(
            "{da}: its move to {a} was begun, and how it ended is not known here; repeat the command with that \
             database"
        ),
    })
}
