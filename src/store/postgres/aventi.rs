//! Those of whom one domanda lives at a time (AU-7). There is no row to claim: a domanda lives by its sheets, which the
//! engine moves too. Whoever opens one locks its avente by name until COMMIT, and then looks; who comes second waits,
//! and sees what the first one wrote.

use std::collections::{BTreeSet, HashMap};

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::row::guasto;
use crate::domanda::Avente;
use crate::domanda::sha256::Sha256;
use crate::store::registro::{Aperte, avente, cercati};
use crate::store::valori::insert_aperte;
use crate::store::{Atto, Chiave, StoreError};

/// Locks the aventi of the acts that have their key, and tells which live domande these have. After the keys and before
/// the children, in one order for all: who waits for one holds nothing that the others still ask for.
pub(super) async fn lock_aventi(
    connessione: &mut PgConnection,
    atti: &[&Atto],
    ids: &HashMap<Chiave, i64>,
) -> Result<Aperte, StoreError> {
    let mut per_servizio: HashMap<&'static str, Vec<&Avente>> = HashMap::new();
    let in_gara = atti.iter().filter(|atto| ids.contains_key(&atto.chiave));
    for (servizio, avente) in in_gara.filter_map(|atto| avente(atto)) {
        per_servizio.entry(servizio).or_default().push(avente);
    }
    if per_servizio.is_empty() {
        return Ok(Aperte::new());
    }
    let serrature: BTreeSet<i64> = per_servizio
        .iter()
        .flat_map(|(servizio, aventi)| aventi.iter().map(|avente| serratura(servizio, avente)))
        .collect();
    sqlx::query("SELECT pg_advisory_xact_lock(serratura) FROM UNNEST($1) AS u (serratura)")
        .bind(serrature.into_iter().collect::<Vec<i64>>())
        .execute(&mut *connessione)
        .await
        .map_err(guasto)?;
    let mut aperte = Aperte::new();
    for (servizio, aventi) in per_servizio {
        aperte.extend(domande_vive(connessione, servizio, &aventi).await?);
    }
    Ok(aperte)
}

/// The number under which somebody is locked. Two people with the same one wait for each other, and no more.
fn serratura(servizio: &str, avente: &Avente) -> i64 {
    let nome = format!("avente {servizio} {}", avente.codice_fiscale.as_str());
    let impronta = Sha256::of(nome.as_bytes());
    let otto = impronta.first_chunk::<8>().copied().unwrap_or_default();
    i64::from_be_bytes(otto)
}

/// The live domande of these people, with the children who have a live sheet in each.
pub(super) async fn domande_vive(
    connessione: &mut PgConnection,
    servizio: &'static str,
    aventi: &[&Avente],
) -> Result<Aperte, StoreError> {
    let mut aperte = Aperte::new();
    let Some((codici, qualita)) = cercati(aventi) else {
        return Ok(aperte);
    };
    // The condition of the index `domande_avente` must stand there as it is: the name of a service is our own.
    let righe = sqlx::query(AssertSqlSafe(format!(
        "SELECT d.numero, d.ente, coalesce(d.genitore_tutelato, d.richiedente) AS avente, s.codice_fiscale
         FROM domande d
         JOIN schede s ON s.numero_domanda = d.numero
         WHERE d.servizio = '{servizio}' AND coalesce(d.genitore_tutelato, d.richiedente) = ANY($1)
           AND d.presentata_da = ANY($2) AND varco_stato_vivo(s.stato)
         ORDER BY d.numero, s.posto"
    )))
    .bind(codici.into_iter().collect::<Vec<_>>())
    .bind(qualita)
    .fetch_all(connessione)
    .await
    .map_err(guasto)?;
    insert_aperte(&mut aperte, servizio, &righe)?;
    Ok(aperte)
}
