//! Bringing back what a store that was put back from a copy lacks: out of another store that still knows it, each
//! registration whole and with its own number, so that a retry finds the receipt that was told (ADR 26).
//!
//! One transaction does it all, under the lock that keeps every other writer out: compare, bring back, declare the rest a
//! hole, verify, note. So no reader ever sees half a register, a stop at any moment leaves the store as it was, and the
//! trial run is the same transaction, rolled back. It works only where this store's register is the beginning of the
//! other's: what was drawn here since stops it, for two registrations of one number are nothing a program can settle.
//! Of each domanda that is touched the whole file is taken over, the engine's decisions included; its triggers are silent
//! meanwhile, since what they do was done when the rows were first written.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::copy::tabelle::VIVE;
use super::esame::controlla;
use super::lacune::{Dichiarazione, Vuoto, vuoti};
use super::legale::open_registro;
use super::postgres::recupero::Basi;
use super::sqlite::recupero::Coppia;
use super::{Inconsistency, OpenOptions, StoreError, StoreUrl, Verifica};
use crate::protocollo::NumeroProtocollo;

/// What to bring back, and what to do with it.
#[derive(Debug, Clone, Copy)]
pub struct Recupero<'a> {
    /// The store that lacks numbers.
    pub qui: &'a StoreUrl,
    /// The store that may know them.
    pub da: &'a StoreUrl,
    /// How both are opened.
    pub options: &'a OpenOptions,
    /// On whose authority, and how far the numbers went.
    pub dichiarazione: &'a Dichiarazione<'a>,
    /// The business clock, now.
    pub adesso: Timestamp,
    /// Only tell what would come of it.
    pub prova: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recuperate {
    /// What came back, by register and year.
    pub tornate: Vec<Tratto>,
    /// What did not: the holes that were declared.
    pub lacune: Vec<Tratto>,
    /// Numbers that the other store knows and that were declared a hole here before: they stay one.
    pub gia_lacuna: u64,
}

/// Numbers of a register and year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tratto {
    /// The register.
    pub registro: String,
    /// The year.
    pub anno: i16,
    /// The first.
    pub da: u64,
    /// The last.
    pub a: u64,
    /// How many of these.
    pub quante: u64,
}

/// Which of the two stores a query asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lato {
    Qui,
    Altrove,
}

/// A row, each column as a text.
pub(super) type Voce = Vec<Option<String>>;

/// Rows that come along, and what becomes of those that are there.
pub(super) struct Ritorno {
    /// The table.
    pub(super) nome: &'static str,
    /// Which of its rows, `t`. A table of the same store is written `@name`.
    pub(super) dove: String,
    pub(super) presenti: Presenti,
    /// Columns that the store fills in by itself.
    pub(super) senza: &'static [&'static str],
    /// A column that counts on behind what was written here since, and by how much.
    pub(super) sposta: Option<(&'static str, i64)>,
}

impl Ritorno {
    /// What a column of `t` becomes here.
    pub(super) fn value(&self, colonna: &str) -> String {
        match self.sposta {
            Some((spostata, scarto)) if spostata == colonna => format!("t.{colonna} + {scarto}"),
            _ => format!("t.{colonna}"),
        }
    }

    /// Every column as the row that came says it.
    pub(super) fn excluded(colonne: &[String]) -> String {
        let nuove: Vec<_> = colonne
            .iter()
            .map(|colonna| format!("{colonna} = excluded.{colonna}"))
            .collect();
        nuove.join(", ")
    }
}

/// A row of the same key that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presenti {
    /// There is none, or it all ends.
    Nessuna,
    /// It stays.
    Restano,
    /// What it said follows from registrations that come back: it says what they made of it.
    Seguono,
}

/// Both stores, with a transaction that writes here and looks there.
#[async_trait]
pub(super) trait Archivi: Send {
    /// Bytes as a text, in its SQL.
    fn hex(&self, colonna: &str) -> String;

    /// Whether it has that table.
    fn has(&self, tabella: &str) -> bool;

    /// Rows of one of them; tables are written `@name`.
    async fn righe(&mut self, lato: Lato, sql: &str) -> Result<Vec<Voce>, StoreError>;

    /// Writes here.
    async fn esegui(&mut self, sql: &str) -> Result<(), StoreError>;

    /// Takes rows over.
    async fn porta(&mut self, ritorno: &Ritorno) -> Result<(), StoreError>;

    /// Takes over by which words the trace is found.
    async fn porta_indizi(&mut self, messaggi: &str) -> Result<(), StoreError>;

    /// Declares a hole, and moves the counters behind it.
    async fn declare(
        &mut self,
        vuoto: &Vuoto,
        dichiarazione: &Dichiarazione<'_>,
        adesso: Timestamp,
    ) -> Result<(), StoreError>;

    /// Notes what came back.
    async fn annota(
        &mut self,
        tratto: &Tratto,
        archivio: &str,
        dichiarazione: &Dichiarazione<'_>,
        adesso: Timestamp,
    ) -> Result<(), StoreError>;

    /// The register as it now is here.
    async fn verify(&mut self) -> Result<Verifica, StoreError>;

    /// Ends the transaction: for good, or as if nothing had been.
    async fn finish(self: Box<Self>, per_sempre: bool) -> Result<(), StoreError>;
}

/// How long one statement may take: some move all that was lost.
const ISTRUZIONE: Duration = Duration::from_mins(10);

/// Brings back what the other store knows, and declares the rest; `avanza` is told the table that is at work.
pub async fn recover(
    recupero: &Recupero<'_>,
    avanza: &mut (dyn FnMut(&'static str) + Send),
) -> Result<Recuperate, StoreError> {
    let options = OpenOptions {
        migrate: false,
        create: false,
        istruzione: ISTRUZIONE,
        ancore: None,
        ..recupero.options.clone()
    };
    // Its ambiente, its schema, that it is one of ours: as whoever opens a store.
    let (altro, _) = open_registro(recupero.da, &options).await?;
    let esito = async {
        let mut archivi: Box<dyn Archivi> = match (recupero.qui, recupero.da) {
            (StoreUrl::Sqlite(qui), StoreUrl::Sqlite(da)) => Box::new(Coppia::open(qui, da, &options).await?),
            (StoreUrl::Postgres(qui), StoreUrl::Postgres(da)) => {
                Box::new(Basi::open(qui, da, &options).await?)
            }
            _ => {
                return Err(StoreError::Refused(
                    "numbers come back from a store of the same kind, SQLite or PostgreSQL".to_owned(),
                ));
            }
        };
        let perdute = lost(archivi.as_mut()).await?;
        // Checked before the first row is written.
        for (registro, dopo) in &perdute.confini {
            avanza("registrazioni");
            let anomalie = controlla(&*altro, registro, *dopo).await?;
            if let Some(anomalia) = anomalie.first() {
                return Err(conflict(&format!(
                    "the other store is not as it should be ({} times): {anomalia}",
                    anomalie.len()
                )));
            }
        }
        match bring(archivi.as_mut(), recupero, &perdute, avanza).await {
            Ok(fatte) => {
                let qualcosa = !fatte.tornate.is_empty() || !fatte.lacune.is_empty();
                archivi.finish(qualcosa && !recupero.prova).await?;
                Ok(fatte)
            }
            Err(errore) => {
                archivi.finish(false).await?;
                Err(errore)
            }
        }
    }
    .await;
    altro.close().await;
    esito
}

/// What the other store knows and this one does not.
struct Perdute {
    /// The last registration that both know.
    dopo: i64,
    numeri: BTreeSet<(String, i16, u64)>,
    /// From where on the other store's registers are brought back: year and number.
    confini: BTreeMap<String, (i16, u64)>,
    /// Holes of the other store that this one does not know: from this one on.
    lacune_dopo: i64,
    gia_lacuna: u64,
}

/// So many registrations before the end are compared: a copy of the same store that agrees in these agrees in all.
const CONFRONTATE: i64 = 50_000;

/// The columns that are compared, as people call them.
const CONFRONTO: [&str; 8] = [
    "protocollo",
    "ente",
    "servizio",
    "ChiaveInvio",
    "digest",
    "impronta",
    "ricevuta",
    "istante di registrazione",
];

async fn lost(archivi: &mut dyn Archivi) -> Result<Perdute, StoreError> {
    let nati = "SELECT valore FROM @impostazioni WHERE nome = 'creato_il'";
    if archivi.righe(Lato::Qui, nati).await? != archivi.righe(Lato::Altrove, nati).await? {
        return Err(conflict("it is the store of another installation"));
    }
    let massimo = "SELECT CAST(coalesce(max(id), 0) AS text) FROM @registrazioni";
    let dopo: i64 = one(&archivi.righe(Lato::Qui, massimo).await?)?;
    let confronto = format!(
        "SELECT CAST(id AS text), protocollo, ente, servizio, chiave_invio, {}, {}, {}, CAST(registrata_il AS text)
         FROM @registrazioni WHERE id > {} ORDER BY id",
        archivi.hex("digest"),
        archivi.hex("impronta"),
        archivi.hex("ricevuta_sha256"),
        dopo - CONFRONTATE
    );
    let qui = by_id(archivi.righe(Lato::Qui, &confronto).await?)?;
    let mut altrove = by_id(archivi.righe(Lato::Altrove, &confronto).await?)?;
    let mut nostra = None;
    for (id, voce) in &qui {
        match altrove.remove(id) {
            None => nostra = nostra.or_else(|| voce[1].clone()),
            Some(altra) if altra == *voce => {}
            Some(altra) => return Err(differs(voce, &altra)),
        }
    }
    let perdute = Perdute {
        dopo,
        numeri: altrove.values().map(numero_of).collect::<Result<_, _>>()?,
        confini: BTreeMap::new(),
        lacune_dopo: 0,
        gia_lacuna: 0,
    };
    if let (Some(nostra), false) = (nostra, altrove.is_empty()) {
        return Err(conflict(&format!(
            "{nostra} is registered here and not there, and the other store has numbers of its own: the two have gone \
             different ways"
        )));
    }
    if altrove.keys().next().is_some_and(|primo| *primo <= dopo) {
        return Err(conflict(
            "a registration in the middle of the register is missing here; look with `varco register verify`",
        ));
    }
    same_keys_of_lots(archivi, &altrove).await?;
    beside_the_holes(archivi, perdute).await
}

/// A key that comes back may not be that of a lot that came in since.
async fn same_keys_of_lots(
    archivi: &mut dyn Archivi,
    altrove: &BTreeMap<i64, Voce>,
) -> Result<(), StoreError> {
    let lotti =
        format!("SELECT ente, servizio, chiave_invio FROM @lotti ORDER BY numero DESC LIMIT {CONFRONTATE}");
    let chiavi: BTreeSet<Voce> = archivi.righe(Lato::Qui, &lotti).await?.into_iter().collect();
    match altrove.values().find(|voce| chiavi.contains(&voce[2..5])) {
        Some(voce) => Err(conflict(&format!(
            "{}: its ChiaveInvio is that of a lot here",
            voce[1].as_deref().unwrap_or_default()
        ))),
        None => Ok(()),
    }
}

/// Takes out what was declared a hole here, and finds from where on the other store is read.
async fn beside_the_holes(archivi: &mut dyn Archivi, mut perdute: Perdute) -> Result<Perdute, StoreError> {
    let lacune = "SELECT CAST(id AS text), registro, CAST(anno AS text), CAST(da AS text), CAST(a AS text)
                  FROM @lacune ORDER BY id";
    let qui = by_id(archivi.righe(Lato::Qui, lacune).await?)?;
    let altrove = by_id(archivi.righe(Lato::Altrove, lacune).await?)?;
    perdute.lacune_dopo = qui.keys().next_back().copied().unwrap_or(0);
    let nostre: Vec<&Voce> = qui
        .iter()
        .filter(|(id, voce)| altrove.get(id) != Some(voce))
        .map(|(_, voce)| voce)
        .collect();
    if let Some(nostra) = nostre.first() {
        let (tutte, prima) = (perdute.numeri.len() as u64, nostra);
        let mut dentro = 0;
        for voce in &nostre {
            let (anno, da, a): (i16, u64, u64) = (number(voce, 2)?, number(voce, 3)?, number(voce, 4)?);
            let registro = voce[1].as_deref().unwrap_or_default();
            dentro += perdute
                .numeri
                .iter()
                .filter(|(di, del, numero)| di == registro && *del == anno && (da..=a).contains(numero))
                .count() as u64;
        }
        if dentro < tutte {
            return Err(conflict(&format!(
                "a hole was declared here that the other store does not have ({} {}, from {})",
                prima[1].as_deref().unwrap_or_default(),
                prima[2].as_deref().unwrap_or_default(),
                prima[3].as_deref().unwrap_or_default()
            )));
        }
        perdute.gia_lacuna = dentro;
        perdute.numeri.clear();
    }
    let contatori = counters(archivi).await?;
    for (registro, _, _) in &perdute.numeri {
        let confine = contatori.iter().find(|(nome, ..)| nome == registro);
        let confine = confine.map_or((0, 0), |(_, anno, ultimo)| (*anno, ultimo.unsigned_abs()));
        perdute.confini.insert(registro.clone(), confine);
    }
    for (registro, anno, numero) in &perdute.numeri {
        if (*anno, *numero) <= perdute.confini[registro] {
            return Err(conflict(&format!(
                "{registro} {anno} {numero}: this number is behind the counter here, and no registration has it"
            )));
        }
    }
    Ok(perdute)
}

/// All that is written, up to COMMIT.
async fn bring(
    archivi: &mut dyn Archivi,
    recupero: &Recupero<'_>,
    perdute: &Perdute,
    avanza: &mut (dyn FnMut(&'static str) + Send),
) -> Result<Recuperate, StoreError> {
    let mut fatte = Recuperate {
        tornate: tratti(&perdute.numeri),
        lacune: Vec::new(),
        gia_lacuna: perdute.gia_lacuna,
    };
    let mut da_dichiarare = Vec::new();
    if !perdute.numeri.is_empty() {
        let mancano = gaps(archivi, perdute).await?;
        for ritorno in ritorni(archivi, perdute).await? {
            if archivi.has(ritorno.nome) {
                avanza(ritorno.nome);
                if ritorno.nome == "elenco" {
                    // Who does not see a sheet any more has no line of it.
                    let fascicoli = fascicoli(perdute.dopo);
                    let sql = format!("DELETE FROM @elenco WHERE numero_domanda IN {fascicoli}");
                    archivi.esegui(&sql).await?;
                }
                archivi.porta(&ritorno).await?;
            }
        }
        archivi.porta_indizi(&messages(perdute.dopo)).await?;
        settle(archivi, perdute).await?;
        for vuoto in mancano {
            archivi
                .declare(&vuoto, recupero.dichiarazione, recupero.adesso)
                .await?;
            da_dichiarare.push(vuoto);
        }
        // Holes in between have moved the counters back to where they end.
        archivi.porta(&contatore(perdute.dopo)).await?;
        domanda_counter(archivi).await?;
    }
    let contatori = counters(archivi).await?;
    let ultima: i64 = one(&archivi
        .righe(
            Lato::Qui,
            "SELECT CAST(ultimo AS text) FROM @contatori WHERE nome = 'domanda'",
        )
        .await?)?;
    for vuoto in vuoti(recupero.dichiarazione.detti, contatori, ultima)? {
        archivi
            .declare(&vuoto, recupero.dichiarazione, recupero.adesso)
            .await?;
        da_dichiarare.push(vuoto);
    }
    fatte.lacune = da_dichiarare.into_iter().map(Tratto::from).collect();
    for tratto in &fatte.tornate {
        archivi
            .annota(
                tratto,
                &recupero.da.to_string(),
                recupero.dichiarazione,
                recupero.adesso,
            )
            .await?;
    }
    let verifica = archivi.verify().await?;
    match verifica.anomalie.first() {
        None => Ok(fatte),
        Some(anomalia) => Err(conflict(&format!(
            "with what would come back the register would not be as promised ({} times): {anomalia}",
            verifica.anomalie.len()
        ))),
    }
}

/// Domande that a registration that comes back opens, moves or closes: it told of each in the feed.
fn fascicoli(dopo: i64) -> String {
    format!(
        "(SELECT numero_domanda FROM @registrazioni WHERE id > {dopo}
          UNION SELECT numero_domanda FROM @variazioni WHERE registrazione > {dopo})"
    )
}

/// The messages that brought them.
fn messages(dopo: i64) -> String {
    format!("(SELECT message_id FROM @registrazioni WHERE id > {dopo})")
}

fn contatore(dopo: i64) -> Ritorno {
    ritorno(
        "registro",
        format!("t.registro IN (SELECT registro FROM @registrazioni WHERE id > {dopo})"),
        Presenti::Seguono,
    )
}

fn ritorno(nome: &'static str, dove: String, presenti: Presenti) -> Ritorno {
    Ritorno {
        nome,
        dove,
        presenti,
        senza: &[],
        sposta: None,
    }
}

/// Every table of which rows come back, each after those that it refers to.
async fn ritorni(archivi: &mut dyn Archivi, perdute: &Perdute) -> Result<Vec<Ritorno>, StoreError> {
    use Presenti::{Nessuna, Restano, Seguono};

    let dopo = perdute.dopo;
    let fascicoli = fascicoli(dopo);
    let decisioni = way(archivi, &DECISIONI, Some(&fascicoli)).await?;
    let variazioni = way(archivi, &VARIAZIONI, None).await?;
    let lotti = last_lot(archivi).await?;
    let della_registrazione = || format!("t.registrazione > {dopo}");
    let del_fascicolo = || format!("t.numero_domanda IN {fascicoli}");
    let del_registro = format!("t.registro IN (SELECT registro FROM @registrazioni WHERE id > {dopo})");
    let del_messaggio = || format!("t.message_id IN {}", messages(dopo));
    let lotto = format!("t.numero > {lotti} AND t.stato = 'done'");
    let esiti = format!("t.lotto IN (SELECT numero FROM @lotti t WHERE {lotto})");
    let chiavi = format!(
        "t.id > {dopo} OR (t.id = 0 AND EXISTS (SELECT 1 FROM @lotti l WHERE l.ente = t.ente \
         AND l.servizio = t.servizio AND l.chiave_invio = t.chiave_invio AND l.numero > {lotti} AND l.stato = 'done'))"
    );
    let decise = format!(
        "t.decisione > {} AND t.numero_domanda IN {fascicoli}",
        decisioni.comune
    );
    let mut ritorni = vec![
        contatore(dopo),
        ritorno("registrazioni", format!("t.id > {dopo}"), Nessuna),
        ritorno("chiavi", chiavi, Nessuna),
        Ritorno {
            sposta: Some(("cursore", variazioni.scarto)),
            ..ritorno(
                "variazioni",
                format!(
                    "t.cursore > {} AND (t.registrazione > {dopo} OR {})",
                    variazioni.comune,
                    del_fascicolo()
                ),
                Nessuna,
            )
        },
        ritorno("domande", format!("t.numero IN {fascicoli}"), Seguono),
        ritorno("schede", del_fascicolo(), Seguono),
        ritorno("deleghe", della_registrazione(), Nessuna),
        ritorno("elenco", del_fascicolo(), Seguono),
    ];
    for nome in [
        "ricevute",
        "payload",
        "carte",
        "allegati",
        "documenti",
        "atti",
        "scarti",
    ] {
        ritorni.push(ritorno(nome, della_registrazione(), Nessuna));
    }
    ritorni.extend([
        ritorno("riesami", del_fascicolo(), Seguono),
        ritorno("emergenze", del_registro, Seguono),
        ritorno("emergenza_registrazioni", della_registrazione(), Nessuna),
        Ritorno {
            senza: &["id"],
            ..ritorno("annullamenti", della_registrazione(), Nessuna)
        },
        Ritorno {
            senza: &["id"],
            ..ritorno("assegnazioni", della_registrazione(), Nessuna)
        },
        ritorno("lacune", format!("t.id > {}", perdute.lacune_dopo), Nessuna),
        Ritorno {
            sposta: Some(("id", decisioni.scarto)),
            ..ritorno(
                "decisioni",
                format!("t.id > {} AND {}", decisioni.comune, del_fascicolo()),
                Nessuna,
            )
        },
        Ritorno {
            sposta: Some(("decisione", decisioni.scarto)),
            ..ritorno("pagamenti", decise.clone(), Nessuna)
        },
        Ritorno {
            sposta: Some(("decisione", decisioni.scarto)),
            ..ritorno("rinnovi", decise, Nessuna)
        },
        Ritorno {
            senza: &["id", "transazione"],
            ..ritorno("tracce", del_messaggio(), Restano)
        },
        ritorno("egov", del_messaggio(), Restano),
        ritorno("lotti", lotto, Nessuna),
        ritorno("lotti_esiti", esiti, Nessuna),
    ]);
    ritorni.extend(daily(archivi).await?);
    Ok(ritorni)
}

/// What follows from rows that came in: the lists of what is live, and where the counters stand.
async fn settle(archivi: &mut dyn Archivi, perdute: &Perdute) -> Result<(), StoreError> {
    let fascicoli = fascicoli(perdute.dopo);
    if archivi.has("schede_vive") {
        archivi
            .esegui(&format!(
                "DELETE FROM @schede_vive v USING @schede s WHERE s.numero_domanda IN {fascicoli}
                     AND v.servizio = s.servizio AND v.codice_fiscale = s.codice_fiscale
                     AND v.registrazione = s.registrazione"
            ))
            .await?;
        archivi
            .esegui(&format!(
                "INSERT INTO @schede_vive (servizio, codice_fiscale, registrazione)
                 SELECT servizio, codice_fiscale, registrazione FROM @schede t
                 WHERE numero_domanda IN {fascicoli} AND {}",
                VIVE.trim_start_matches('+')
            ))
            .await?;
        archivi
            .esegui(
                "UPDATE @contatori SET ultimo = greatest(ultimo, (SELECT coalesce(max(cursore), 0) FROM @variazioni))
                 WHERE nome = 'variazione'",
            )
            .await?;
    }
    domanda_counter(archivi).await
}

async fn domanda_counter(archivi: &mut dyn Archivi) -> Result<(), StoreError> {
    let sql = "SELECT CAST(ultimo AS text) FROM @contatori WHERE nome = 'domanda'";
    let ultima: i64 = one(&archivi.righe(Lato::Altrove, sql).await?)?;
    archivi
        .esegui(&format!(
            "UPDATE @contatori SET ultimo = {ultima} WHERE nome = 'domanda' AND ultimo < {ultima}"
        ))
        .await
}

/// A table whose rows are numbered as they are written, here by one and there by another since the restore.
struct Numerata {
    tabella: &'static str,
    numero: &'static str,
    confronto: &'static str,
}

const DECISIONI: Numerata = Numerata {
    tabella: "decisioni",
    numero: "id",
    confronto: "CAST(numero_domanda AS text), CAST(posto AS text), gettone, CAST(scritta_il AS text)",
};
const VARIAZIONI: Numerata = Numerata {
    tabella: "variazioni",
    numero: "cursore",
    confronto: "CAST(numero_domanda AS text), CAST(posto AS text), tipo, CAST(istante AS text)",
};

/// How far both go together, and by how much what comes back is to be counted on.
struct Via {
    comune: i64,
    scarto: i64,
}

/// `fascicoli`: where something was written here since of one of these, nothing comes back.
async fn way(
    archivi: &mut dyn Archivi,
    numerata: &Numerata,
    fascicoli: Option<&str>,
) -> Result<Via, StoreError> {
    let Numerata {
        tabella,
        numero,
        confronto,
    } = numerata;
    let massimo: i64 = one(&archivi
        .righe(
            Lato::Qui,
            &format!("SELECT CAST(coalesce(max({numero}), 0) AS text) FROM @{tabella}"),
        )
        .await?)?;
    let sql = format!(
        "SELECT CAST({numero} AS text), {confronto} FROM @{tabella} WHERE {numero} BETWEEN {} AND {massimo}",
        massimo - CONFRONTATE
    );
    let qui = by_id(archivi.righe(Lato::Qui, &sql).await?)?;
    let altrove = by_id(archivi.righe(Lato::Altrove, &sql).await?)?;
    let uguale = |(id, voce): &(&i64, &Voce)| altrove.get(*id) == Some(*voce);
    let comune = qui.iter().take_while(uguale).last().map_or(0, |(id, _)| *id);
    let nostre: BTreeSet<&Option<String>> = qui.range(comune + 1..).map(|(_, voce)| &voce[1]).collect();
    if let (Some(fascicoli), false) = (fascicoli, nostre.is_empty()) {
        let sql = format!("SELECT CAST(numero AS text) FROM @domande WHERE numero IN {fascicoli}");
        let toccate = archivi.righe(Lato::Altrove, &sql).await?;
        if let Some(voce) = toccate.iter().find(|voce| nostre.contains(&voce[0])) {
            return Err(conflict(&format!(
                "domanda {}: the engine has written about it here since, and registrations about it would come back",
                voce[0].as_deref().unwrap_or_default()
            )));
        }
    }
    Ok(Via {
        comune,
        scarto: massimo - comune,
    })
}

/// The last lot that both know; where they went different ways none comes back, and its sender sends it again: its items
/// are there.
async fn last_lot(archivi: &mut dyn Archivi) -> Result<i64, StoreError> {
    let sql = "SELECT CAST(numero AS text), CAST(id AS text) FROM @lotti ORDER BY numero DESC LIMIT 1";
    let Some(ultimo) = archivi.righe(Lato::Qui, sql).await?.into_iter().next() else {
        return Ok(0);
    };
    let numero: i64 = number(&ultimo, 0)?;
    let sql = format!("SELECT CAST(numero AS text), CAST(id AS text) FROM @lotti WHERE numero = {numero}");
    let altrove = archivi.righe(Lato::Altrove, &sql).await?;
    Ok(if altrove.first() == Some(&ultimo) {
        numero
    } else {
        i64::MAX
    })
}

/// The daily registers of the days that were closed there and not here. A day that both have closed is the same day.
async fn daily(archivi: &mut dyn Archivi) -> Result<Vec<Ritorno>, StoreError> {
    let sql = format!(
        "SELECT registro, CAST(giorno AS text), {} FROM @registri_giornalieri",
        archivi.hex("sha256")
    );
    let qui = archivi.righe(Lato::Qui, &sql).await?;
    let altrove: BTreeSet<Voce> = archivi.righe(Lato::Altrove, &sql).await?.into_iter().collect();
    if let Some(voce) = qui.iter().find(|voce| !altrove.contains(*voce)) {
        return Err(conflict(&format!(
            "register {}: the daily register of {} is not the same here and there",
            voce[0].as_deref().unwrap_or_default(),
            voce[1].as_deref().unwrap_or_default()
        )));
    }
    Ok(vec![ritorno(
        "registri_giornalieri",
        "1 = 1".to_owned(),
        Presenti::Restano,
    )])
}

/// Numbers that lie between those that come back and that the other store lacks without having declared it.
async fn gaps(archivi: &mut dyn Archivi, perdute: &Perdute) -> Result<Vec<Vuoto>, StoreError> {
    let lacune = format!(
        "SELECT registro, CAST(anno AS text), CAST(da AS text), CAST(a AS text), CAST(domanda_da AS text),
             CAST(domanda_a AS text)
         FROM @lacune WHERE id > {}",
        perdute.lacune_dopo
    );
    let lacune = archivi.righe(Lato::Altrove, &lacune).await?;
    let mut noti: BTreeMap<(String, i16), Vec<(u64, u64)>> = BTreeMap::new();
    for (registro, anno, numero) in &perdute.numeri {
        noti.entry((registro.clone(), *anno))
            .or_default()
            .push((*numero, *numero));
    }
    let ultima: u64 = one(&archivi
        .righe(
            Lato::Qui,
            "SELECT CAST(ultimo AS text) FROM @contatori WHERE nome = 'domanda'",
        )
        .await?)?;
    let sql = format!("SELECT CAST(numero AS text) FROM @domande WHERE numero > {ultima}");
    let mut domande = Vec::new();
    for voce in archivi.righe(Lato::Altrove, &sql).await? {
        let numero: u64 = number(&voce, 0)?;
        domande.push((numero, numero));
    }
    for voce in &lacune {
        let anno: i16 = number(voce, 1)?;
        let dove = (voce[0].clone().unwrap_or_default(), anno);
        noti.entry(dove)
            .or_default()
            .push((number(voce, 2)?, number(voce, 3)?));
        if voce[4].is_some() {
            domande.push((number(voce, 4)?, number(voce, 5)?));
        }
    }
    let mut mancano = Vec::new();
    for ((registro, anno), tratti) in noti {
        let (anno_qui, ultimo) = perdute.confini.get(&registro).copied().unwrap_or((0, 0));
        let dopo = if anno == anno_qui { ultimo } else { 0 };
        for (da, a) in between(dopo, tratti) {
            mancano.push(Vuoto {
                registro: registro.clone(),
                anno,
                da,
                a,
                domande: None,
            });
        }
    }
    share(mancano, between(ultima, domande))
}

/// What lies between stretches of numbers, from after `dopo` to the last of them.
fn between(dopo: u64, mut tratti: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    tratti.sort_unstable();
    let mut atteso = dopo + 1;
    let mut vuoti = Vec::new();
    for (da, a) in tratti {
        if da > atteso {
            vuoti.push((atteso, da - 1));
        }
        atteso = atteso.max(a + 1);
    }
    vuoti
}

/// Gives each stretch of domande that are missing to a hole: each was opened by a registration that is missing, too, so
/// that there are numbers enough; the last hole is cut in as many as are needed.
fn share(mut mancano: Vec<Vuoto>, domande: Vec<(u64, u64)>) -> Result<Vec<Vuoto>, StoreError> {
    for (posto, tratto) in domande.into_iter().enumerate() {
        let Some(vuoto) = mancano.get_mut(posto) else {
            return Err(conflict(&format!(
                "domande {}-{} are missing in the other store, and no number of the register is",
                tratto.0, tratto.1
            )));
        };
        vuoto.domande = Some(tratto);
        if posto + 1 == mancano.len() && mancano[posto].da < mancano[posto].a {
            let mut resto = mancano[posto].clone();
            mancano[posto].a = mancano[posto].da;
            resto.da += 1;
            resto.domande = None;
            mancano.push(resto);
        }
    }
    Ok(mancano)
}

/// The counters, as they stand here.
async fn counters(archivi: &mut dyn Archivi) -> Result<Vec<(String, i16, i64)>, StoreError> {
    let sql = "SELECT registro, CAST(anno AS text), CAST(ultimo AS text) FROM @registro";
    let righe = archivi.righe(Lato::Qui, sql).await?;
    righe
        .iter()
        .map(|voce| {
            Ok((
                voce[0].clone().unwrap_or_default(),
                number(voce, 1)?,
                number(voce, 2)?,
            ))
        })
        .collect()
}

/// The numbers, by register and year.
fn tratti(numeri: &BTreeSet<(String, i16, u64)>) -> Vec<Tratto> {
    let mut tratti: Vec<Tratto> = Vec::new();
    for (registro, anno, numero) in numeri {
        match tratti.last_mut() {
            Some(tratto) if tratto.registro == *registro && tratto.anno == *anno => {
                tratto.a = *numero;
                tratto.quante += 1;
            }
            _ => tratti.push(Tratto {
                registro: registro.clone(),
                anno: *anno,
                da: *numero,
                a: *numero,
                quante: 1,
            }),
        }
    }
    tratti
}

impl From<Vuoto> for Tratto {
    fn from(vuoto: Vuoto) -> Self {
        Self {
            quante: vuoto.a - vuoto.da + 1,
            registro: vuoto.registro,
            anno: vuoto.anno,
            da: vuoto.da,
            a: vuoto.a,
        }
    }
}

fn by_id(righe: Vec<Voce>) -> Result<BTreeMap<i64, Voce>, StoreError> {
    righe
        .into_iter()
        .map(|voce| Ok((number(&voce, 0)?, voce)))
        .collect()
}

fn number<T: std::str::FromStr>(voce: &Voce, posto: usize) -> Result<T, StoreError> {
    let testo = voce.get(posto).and_then(Option::as_deref);
    testo
        .and_then(|testo| testo.parse().ok())
        .ok_or_else(|| Inconsistency::new("registro", "numero", "is no number").into())
}

fn one<T: std::str::FromStr>(righe: &[Voce]) -> Result<T, StoreError> {
    righe.first().map_or_else(
        || Err(Inconsistency::new("contatori", "ultimo", "is missing").into()),
        |voce| number(voce, 0),
    )
}

fn numero_of(voce: &Voce) -> Result<(String, i16, u64), StoreError> {
    let protocollo: NumeroProtocollo = voce[1]
        .as_deref()
        .and_then(|testo| testo.parse().ok())
        .ok_or_else(|| Inconsistency::new("registrazioni", "protocollo", "cannot be read"))?;
    Ok((
        protocollo.registro().to_owned(),
        protocollo.anno(),
        protocollo.numero(),
    ))
}

/// Names the number and what differs, and no value of it.
fn differs(qui: &Voce, altra: &Voce) -> StoreError {
    let diverse: Vec<&str> = CONFRONTO
        .iter()
        .zip(qui[1..].iter().zip(&altra[1..]))
        .filter(|(_, (qui, altra))| qui != altra)
        .map(|(nome, _)| *nome)
        .collect();
    conflict(&format!(
        "{} is another registration there: {} differ",
        qui[1].as_deref().unwrap_or_default(),
        diverse.join(", ")
    ))
}

fn conflict(causa: &str) -> StoreError {
    StoreError::Refused(format!("nothing comes back from that store: {causa}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_between_is_missing() {
        assert_eq!(
            between(20, vec![(25, 26), (21, 22), (28, 30)]),
            [(23, 24), (27, 27)]
        );
        assert_eq!(between(20, vec![(21, 30)]), []);
    }

    #[test]
    fn each_stretch_of_domande_has_a_hole_of_its_own() {
        let vuoto = |da, a, domande| Vuoto {
            registro: "AUF".to_owned(),
            anno: 2021,
            da,
            a,
            domande,
        };
        assert_eq!(
            share(vec![vuoto(23, 25, None)], vec![(21, 21), (23, 23)]).unwrap(),
            [
                vuoto(23, 23, Some((21, 21))),
                vuoto(24, 24, Some((23, 23))),
                vuoto(25, 25, None)
            ]
        );
        assert!(share(Vec::new(), vec![(21, 21)]).is_err());
    }
}
