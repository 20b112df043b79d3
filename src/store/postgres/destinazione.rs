//! The database as the target of a move from the embedded store (`store::copy`): one transaction from its first row to
//! its COMMIT, under a lock that lets others look and nobody write; and what became of a COMMIT that was not answered.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Row as _, Type};
use uuid::Uuid;

use super::anni::anno;
use super::open::{Accesso, setting};
use super::row::{Istante, guasto};
use super::statement::Istruzione;
use super::{PostgresStore, close, verify};
use crate::store::copy::Registro;
use crate::store::copy::tabelle::{Colonne, Riga, TABELLE, Tabella};
use crate::store::copy::valore::{Tipo, Valore};
use crate::store::{Inconsistency, OpenOptions, PostgresUrl, StoreError, Verifica};

/// A database, in a transaction beside which nobody else writes. Dropped, it is as it was.
pub(in crate::store) struct Destinazione {
    accesso: Accesso,
    connessione: PgConnection,
    /// The years whose partitions are there.
    anni: BTreeSet<i16>,
    statements: Statements,
}

/// The statement that reads a page back, by table.
type Statements = BTreeMap<(&'static str, &'static str), String>;

impl Destinazione {
    /// The database, laid down where it is empty, and the transaction. It has to be its owner's: the gateway's role may
    /// not write all that is written here.
    pub(in crate::store) async fn open(url: &PostgresUrl, options: &OpenOptions) -> Result<Self, StoreError> {
        let (store, _) = PostgresStore::open(url, options).await?;
        let accesso = store.accesso;
        store.lettori.close().await;
        let mut destinazione = Self {
            connessione: connect_as_owner(&accesso, options.attesa).await?,
            accesso,
            anni: BTreeSet::new(),
            statements: TABELLE
                .iter()
                .map(|tabella| ((tabella.nome, tabella.da), lookup(tabella)))
                .collect(),
        };
        let tabelle: BTreeSet<_> = TABELLE.iter().map(|tabella| tabella.nome).collect();
        let tabelle: Vec<_> = tabelle.into_iter().collect();
        let sole = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", tabelle.join(", "));
        // Rows are found by their key; what the planner thinks of tables that were just filled would be a guess.
        for sql in [
            "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off;",
            "BEGIN",
            &sole,
        ] {
            execute(&mut destinazione.connessione, sql).await?;
        }
        Ok(destinazione)
    }

    /// Lets others write again, and goes on without a transaction: only to look.
    pub(in crate::store) async fn let_go(&mut self) -> Result<(), StoreError> {
        execute(&mut self.connessione, "ROLLBACK").await
    }

    /// Makes the database ready for its rows. It forgets the settings of a start on the empty database: the business
    /// clock is the source's. And it does nothing by itself when a row comes in: that was done when the row came into
    /// the file.
    pub(in crate::store) async fn prepare(&mut self) -> Result<(), StoreError> {
        execute(
            &mut self.connessione,
            "DELETE FROM impostazioni WHERE nome NOT IN ('applicazione', 'ambiente', 'creato_il', 'schema_minimo')",
        )
        .await?;
        triggers(&mut self.connessione, INSERT, "DISABLE", 'O').await
    }

    /// Which move made it what it is, if one did.
    pub(in crate::store) async fn trasferimento(&mut self) -> Result<Option<Uuid>, StoreError> {
        moved_here(&mut self.connessione).await
    }

    /// Every column of every table.
    pub(in crate::store) async fn columns(&mut self) -> Result<Colonne, StoreError> {
        let righe: Vec<(String, String)> = sqlx::query_as(
            "SELECT c.relname::text, a.attname::text
             FROM pg_class c
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                 AND c.relname <> '_sqlx_migrations' AND c.relpersistence <> 'u'",
        )
        .fetch_all(&mut self.connessione)
        .await
        .map_err(guasto)?;
        let mut colonne = Colonne::new();
        for (tabella, colonna) in righe {
            colonne.entry(tabella).or_default().insert(colonna);
        }
        Ok(colonne)
    }

    /// A table that holds rows already, if one does.
    pub(in crate::store) async fn occupied(&mut self) -> Result<Option<&'static str>, StoreError> {
        for tabella in TABELLE {
            if tabella.predisposta {
                continue;
            }
            let sql = format!("SELECT EXISTS (SELECT 1 FROM {})", tabella.nome);
            let piena: bool = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_one(&mut self.connessione)
                .await
                .map_err(guasto)?;
            if piena {
                return Ok(Some(tabella.nome));
            }
        }
        Ok(None)
    }

    /// Writes a page of rows.
    pub(in crate::store) async fn write(
        &mut self,
        tabella: &'static Tabella,
        righe: &[Riga],
    ) -> Result<(), StoreError> {
        self.prepare_years(tabella, righe).await?;
        let mut istruzione = Istruzione::default();
        istruzione.insert_or(tabella.nome, righe, &on_conflict(tabella), |colonne| {
            for (posto, colonna) in tabella.colonne.iter().enumerate() {
                let nome = colonna.nome;
                match colonna.tipo {
                    Tipo::Intero => colonne.col(nome, |riga| riga.valori[posto].intero()),
                    Tipo::Booleano => colonne.col(nome, |riga| riga.valori[posto].booleano()),
                    Tipo::Istante => colonne.col(nome, |riga| riga.valori[posto].istante().map(Istante)),
                    Tipo::Uuid => colonne.col(nome, |riga| riga.valori[posto].uuid()),
                    Tipo::Testo => colonne.text_option(nome, |riga| riga.valori[posto].testo()),
                    Tipo::Byte => colonne.bytes_option(nome, |riga| riga.valori[posto].byte()),
                    Tipo::Data => {
                        colonne.told(nome, "date", |riga| riga.valori[posto].testo().map(str::to_owned))
                    }
                    Tipo::Json => colonne.told(nome, "jsonb", |riga| riga.valori[posto].json()),
                };
            }
        });
        let scritte = istruzione.execute(&mut self.connessione).await;
        scritte.map_err(|errore| match errore {
            StoreError::Inconsistency(causa) => Inconsistency {
                table: tabella.nome,
                ..causa
            }
            .into(),
            altro => altro,
        })
    }

    async fn prepare_years(&mut self, tabella: &Tabella, righe: &[Riga]) -> Result<(), StoreError> {
        let Some(posto) = tabella.partizione.and_then(|nome| tabella.posto(nome)) else {
            return Ok(());
        };
        let mut anni = BTreeSet::new();
        for riga in righe {
            let di_riga = match &riga.valori[posto] {
                Valore::Istante(istante) => Some(anno(*istante)),
                valore => valore.intero().and_then(|valore| i16::try_from(valore).ok()),
            };
            anni.insert(
                di_riga.ok_or_else(|| {
                    Inconsistency::new(tabella.nome, tabella.colonne[posto].nome, "no year")
                })?,
            );
        }
        for anno in anni {
            if self.anni.insert(anno) {
                sqlx::query("SELECT varco_prepara_anno($1)")
                    .bind(i32::from(anno))
                    .execute(&mut self.connessione)
                    .await
                    .map_err(guasto)?;
            }
        }
        Ok(())
    }

    /// The same rows as they stand here, in the same order; `None` where there is none of that key.
    pub(in crate::store) async fn read_back(
        &mut self,
        tabella: &'static Tabella,
        righe: &[Riga],
    ) -> Result<Vec<Option<Vec<Valore>>>, StoreError> {
        let mut argomenti = PgArguments::default();
        for chiave in tabella.chiave {
            let posto = tabella
                .posto(chiave)
                .ok_or_else(|| not_described(tabella, chiave))?;
            let valori = righe.iter().map(|riga| &riga.valori[posto]);
            match tabella.colonne[posto].tipo {
                Tipo::Intero => bind(&mut argomenti, valori.map(Valore::intero).collect::<Vec<_>>()),
                Tipo::Testo | Tipo::Data => {
                    bind(&mut argomenti, valori.map(Valore::testo).collect::<Vec<_>>())
                }
                Tipo::Uuid => bind(&mut argomenti, valori.map(Valore::uuid).collect::<Vec<_>>()),
                Tipo::Istante => bind(
                    &mut argomenti,
                    valori
                        .map(|valore| valore.istante().map(Istante))
                        .collect::<Vec<_>>(),
                ),
                Tipo::Byte => bind(&mut argomenti, valori.map(Valore::byte).collect::<Vec<_>>()),
                Tipo::Booleano | Tipo::Json => {
                    return Err(not_described(tabella, chiave));
                }
            }?;
        }
        let sql = self
            .statements
            .get(&(tabella.nome, tabella.da))
            .cloned()
            .unwrap_or_default();
        let trovate = sqlx::query_with(AssertSqlSafe(sql), argomenti)
            .fetch_all(&mut self.connessione)
            .await
            .map_err(guasto)?;
        let mut rilette: Vec<Option<Vec<Valore>>> = righe.iter().map(|_| None).collect();
        for trovata in &trovate {
            let posto: i64 = trovata.try_get(tabella.colonne.len()).map_err(guasto)?;
            let posto = usize::try_from(posto - 1).unwrap_or(usize::MAX);
            if let Some(riletta) = rilette.get_mut(posto) {
                *riletta = Some(row_of(tabella, trovata)?);
            }
        }
        Ok(rilette)
    }

    /// How many rows a table has.
    pub(in crate::store) async fn count(&mut self, tabella: &'static str) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM {tabella}");
        let quante: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut self.connessione)
            .await
            .map_err(guasto)?;
        Ok(quante.unsigned_abs())
    }

    /// The register as a gateway would find it.
    pub(in crate::store) async fn verify(&mut self) -> Result<Verifica, StoreError> {
        verify::verify(&mut self.connessione).await
    }

    /// The registers, as their counters stand.
    pub(in crate::store) async fn registri(&mut self) -> Result<Vec<Registro>, StoreError> {
        let righe: Vec<(String, i64, i64)> =
            sqlx::query_as("SELECT registro, anno::bigint, ultimo FROM registro ORDER BY registro")
                .fetch_all(&mut self.connessione)
                .await
                .map_err(guasto)?;
        Ok(righe.into_iter().map(Registro::from).collect())
    }

    /// What follows from the rows: ids that are made here go on after the highest, the database does again by itself what
    /// it does, and the planner learns what is there.
    pub(in crate::store) async fn settle(&mut self) -> Result<(), StoreError> {
        triggers(&mut self.connessione, INSERT, "ENABLE", 'D').await?;
        restart_identities(&mut self.connessione).await?;
        let tabelle: BTreeSet<_> = TABELLE.iter().map(|tabella| tabella.nome).collect();
        for tabella in tabelle {
            execute(&mut self.connessione, &format!("ANALYZE {tabella}")).await?;
        }
        Ok(())
    }

    /// Writes which move made it what it is.
    pub(in crate::store) async fn mark(&mut self, id: Uuid) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO impostazioni (nome, valore) VALUES ('trasferimento', $1)")
            .bind(id.to_string())
            .execute(&mut self.connessione)
            .await
            .map_err(guasto)?;
        Ok(())
    }

    /// Commits. An error says nothing of what became of it: ask [`Sorte::find_out`].
    pub(in crate::store) async fn commit(mut self) -> Result<(), (Sorte, StoreError)> {
        match execute(&mut self.connessione, "COMMIT").await {
            Ok(()) => {
                close(self.connessione).await;
                Ok(())
            }
            Err(causa) => Err((Sorte(self.accesso), causa)),
        }
    }

    /// Closes the connection; all that was written is taken back.
    pub(in crate::store) async fn close(self) {
        close(self.connessione).await;
    }
}

/// A COMMIT that did not say yes.
pub(in crate::store) struct Sorte(Accesso);

impl Sorte {
    /// Whether the database became what that move made of it. Its transaction had the lock that is asked for here: who
    /// gets it knows that it is over. An error = it cannot be known now.
    pub(in crate::store) async fn find_out(&self, id: Uuid, attesa: Duration) -> Result<bool, StoreError> {
        let mut connessione = connect_as_owner(&self.0, attesa).await?;
        execute(&mut connessione, "BEGIN").await?;
        execute(
            &mut connessione,
            "LOCK TABLE impostazioni IN SHARE ROW EXCLUSIVE MODE",
        )
        .await?;
        let trovato = moved_here(&mut connessione).await?;
        close(connessione).await;
        Ok(trovato == Some(id))
    }
}

/// What sets a trigger off, as `pg_trigger.tgtype` tells it.
pub(super) const INSERT: i16 = 4;
/// The same: any change of a row.
pub(super) const INSERT_DELETE_UPDATE: i16 = 4 | 8 | 16;

/// Does to each trigger of these kinds; `stato` tells which are meant.
pub(super) async fn triggers(
    connessione: &mut PgConnection,
    quando: i16,
    come: &str,
    stato: char,
) -> Result<(), StoreError> {
    let istruzioni: Vec<String> = sqlx::query_scalar(
        "SELECT format('ALTER TABLE %s %s TRIGGER %I', t.tgrelid::regclass, $1, t.tgname)
         FROM pg_trigger t
         JOIN pg_class c ON c.oid = t.tgrelid
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
             AND NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgtype & $3 <> 0
             AND t.tgenabled::text = $2",
    )
    .bind(come)
    .bind(stato.to_string())
    .bind(quando)
    .fetch_all(&mut *connessione)
    .await
    .map_err(guasto)?;
    for istruzione in istruzioni {
        execute(connessione, &istruzione).await?;
    }
    Ok(())
}

/// Ids that are made here go on after the highest.
pub(super) async fn restart_identities(connessione: &mut PgConnection) -> Result<(), StoreError> {
    let identita: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text FROM information_schema.columns
         WHERE table_schema = 'public' AND is_identity = 'YES'
             AND table_name IN (SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND NOT relispartition)",
    )
    .fetch_all(&mut *connessione)
    .await
    .map_err(guasto)?;
    for (tabella, colonna) in identita {
        let massimo: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT coalesce(max({colonna}), 0) FROM {tabella}"
        )))
        .fetch_one(&mut *connessione)
        .await
        .map_err(guasto)?;
        // Not setval, which no rollback takes back.
        let sql = format!(
            "ALTER TABLE {tabella} ALTER COLUMN {colonna} RESTART WITH {}",
            massimo + 1
        );
        execute(connessione, &sql).await?;
    }
    Ok(())
}

/// A connection that keeps its promises, with the rights of who logged in, and no more time for a lock than `attesa`.
pub(super) async fn connect_as_owner(
    accesso: &Accesso,
    attesa: Duration,
) -> Result<PgConnection, StoreError> {
    let mut connessione = accesso.connect().await?;
    execute(
        &mut connessione,
        &format!("RESET ROLE; SET lock_timeout = {}", attesa.as_millis()),
    )
    .await?;
    let padrone: bool = sqlx::query_scalar(
        "SELECT coalesce(bool_and(pg_has_role(relowner, 'USAGE')), false) FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')",
    )
    .fetch_one(&mut connessione)
    .await
    .map_err(guasto)?;
    if padrone {
        return Ok(connessione);
    }
    close(connessione).await;
    Err(StoreError::Refused(format!(
        "{}: a store is moved into it by its owner, as `varco migrate`; the gateway's user may not",
        accesso.nome()
    )))
}

async fn moved_here(connessione: &mut PgConnection) -> Result<Option<Uuid>, StoreError> {
    setting(connessione, "trasferimento")
        .await
        .map_err(guasto)?
        .map(|valore| valore.parse())
        .transpose()
        .map_err(|_| Inconsistency::new("impostazioni", "trasferimento", "cannot be read").into())
}

pub(super) async fn execute(connessione: &mut PgConnection, sql: &str) -> Result<(), StoreError> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(connessione)
        .await
        .map_err(guasto)?;
    Ok(())
}

fn bind<'q, V>(argomenti: &mut PgArguments, valori: V) -> Result<(), StoreError>
where
    V: Encode<'q, sqlx::Postgres> + Type<sqlx::Postgres>,
{
    argomenti.add(valori).map_err(StoreError::unavailable)
}

fn not_described(tabella: &Tabella, colonna: &'static str) -> StoreError {
    Inconsistency::new(tabella.nome, colonna, "no key that a row could be found by").into()
}

/// What follows the rows of a statement: in a table that was laid down with rows they take their place.
fn on_conflict(tabella: &Tabella) -> String {
    if !tabella.predisposta {
        return String::new();
    }
    let nuovi: Vec<_> = tabella
        .colonne
        .iter()
        .map(|colonna| format!("{0} = excluded.{0}", colonna.nome))
        .collect();
    format!(
        " ON CONFLICT ({}) DO UPDATE SET {}",
        tabella.chiave.join(", "),
        nuovi.join(", ")
    )
}

/// The statement that finds rows by their keys: the columns, then the row's place among the keys, from 1.
fn lookup(tabella: &Tabella) -> String {
    let colonne: Vec<_> = tabella
        .colonne
        .iter()
        .map(|colonna| {
            let nome = colonna.nome;
            match colonna.tipo {
                Tipo::Intero => format!("t.{nome}::bigint"),
                Tipo::Data => format!("to_char(t.{nome}, 'YYYY-MM-DD')"),
                Tipo::Json => format!("t.{nome}::text"),
                Tipo::Testo | Tipo::Booleano | Tipo::Byte | Tipo::Istante | Tipo::Uuid => format!("t.{nome}"),
            }
        })
        .collect();
    // Days come as texts.
    let valori: Vec<_> = (1..)
        .zip(tabella.chiave)
        .map(|(n, chiave)| {
            let posto = tabella.posto(chiave);
            match posto.map(|posto| tabella.colonne[posto].tipo) {
                Some(Tipo::Data) => format!("${n}::text[]::date[]"),
                _ => format!("${n}"),
            }
        })
        .collect();
    let uguali: Vec<_> = tabella
        .chiave
        .iter()
        .map(|chiave| format!("t.{chiave} = u.{chiave}"))
        .collect();
    format!(
        "SELECT {}, u.fra_le_chiavi FROM UNNEST({}) WITH ORDINALITY AS u ({}, fra_le_chiavi) JOIN {} t ON {}",
        colonne.join(", "),
        valori.join(", "),
        tabella.chiave.join(", "),
        tabella.nome,
        uguali.join(" AND ")
    )
}

fn row_of(tabella: &Tabella, trovata: &PgRow) -> Result<Vec<Valore>, StoreError> {
    tabella
        .colonne
        .iter()
        .enumerate()
        .map(|(posto, colonna)| {
            value_of(trovata, posto, colonna.tipo)
                .map_err(|source| Inconsistency::new(tabella.nome, colonna.nome, source).into())
        })
        .collect()
}

/// A column as the database holds it. What does not fit is told without its value.
fn value_of(
    trovata: &PgRow,
    posto: usize,
    tipo: Tipo,
) -> Result<Valore, Box<dyn std::error::Error + Send + Sync>> {
    let valore = match tipo {
        Tipo::Intero => trovata.try_get::<Option<i64>, _>(posto)?.map(Valore::Intero),
        Tipo::Booleano => trovata.try_get::<Option<bool>, _>(posto)?.map(Valore::Booleano),
        Tipo::Byte => trovata.try_get::<Option<Vec<u8>>, _>(posto)?.map(Valore::Byte),
        Tipo::Istante => trovata
            .try_get::<Option<Istante>, _>(posto)?
            .map(|Istante(istante)| Valore::Istante(istante)),
        Tipo::Testo | Tipo::Data => trovata.try_get::<Option<String>, _>(posto)?.map(Valore::Testo),
        Tipo::Json => trovata
            .try_get::<Option<&str>, _>(posto)?
            .map(Valore::of_json)
            .transpose()
            .map_err(|_| "no JSON")?,
        Tipo::Uuid => trovata.try_get::<Option<Uuid>, _>(posto)?.map(Valore::Uuid),
    };
    Ok(valore.unwrap_or(Valore::Nullo))
}
