//! Documents: what is known of each, its bytes, and the sheets that waited for it; and the riesami that they may support.

use sqlx::postgres::PgConnection;

use super::insert::posto;
use super::row::{Istante, guasto};
use super::statement::Istruzione;
use crate::store::codec::Codec;
use crate::store::effetti::{attese, documenti, riesami};
use crate::store::registro::Nuova;
use crate::store::valori::{intero, json, lunghezza};
use crate::store::{Inconsistency, StoreError};

/// The documents of these registrations.
pub(super) fn insert(istruzione: &mut Istruzione, nuove: &[Nuova<'_>]) {
    let documenti = documenti(nuove);
    istruzione.insert("allegati", &documenti, |colonne| {
        colonne
            .col("numero_domanda", |documento| {
                intero(documento.nuova.registrata.numero_domanda.0)
            })
            .col("registrazione", |documento| documento.nuova.id)
            .col("posto", |documento| posto(documento.posto))
            .text("tipo", |documento| documento.allegato.tipo)
            .text("nome_file", |documento| &documento.allegato.nome_file)
            .text("tipo_mime", |documento| documento.allegato.tipo_mime)
            .col("impronta", |documento| &documento.allegato.impronta[..])
            .col("bytes_len", |documento| intero(documento.allegato.bytes_len))
            .told("schede", "jsonb", |documento| {
                documento.schede.map(|schede| json(&schede))
            });
    });
    istruzione.insert("documenti", &documenti, |colonne| {
        colonne
            .col("numero_domanda", |documento| {
                intero(documento.nuova.registrata.numero_domanda.0)
            })
            .col("registrazione", |documento| documento.nuova.id)
            .col("posto", |documento| posto(documento.posto))
            .text("codec", |_| Codec::Identity.as_str())
            .col("bytes", |documento| &documento.allegato.originale.byte[..]);
    });
}

/// The riesami that these registrations ask for.
pub(super) fn insert_riesami(istruzione: &mut Istruzione, nuove: &[Nuova<'_>]) {
    let riesami = riesami(nuove);
    istruzione.insert("riesami", &riesami, |colonne| {
        colonne
            .col("numero_domanda", |riesame| {
                intero(riesame.nuova.registrata.numero_domanda.0)
            })
            .col("registrazione", |riesame| riesame.nuova.id)
            .col("posto", |riesame| posto(riesame.posto))
            .text("motivo", |riesame| riesame.motivo)
            .text("motivazione", |riesame| riesame.motivazione)
            .col("stato_dal", |riesame| {
                Istante(riesame.nuova.ricevuta.registrata_il)
            });
    });
}

/// Sheets that waited for documents wait no longer.
pub(super) async fn settle_sheets(
    connessione: &mut PgConnection,
    nuove: &[Nuova<'_>],
) -> Result<(), StoreError> {
    let attese = attese(nuove);
    if attese.is_empty() {
        return Ok(());
    }
    let (numeri, posti): (Vec<_>, Vec<_>) = attese
        .iter()
        .map(|(numero, scheda)| (intero(numero.0), posto(*scheda)))
        .unzip();
    let esito = sqlx::query(
        "UPDATE schede s SET azione_richiesta = 'NESSUNA'
         FROM UNNEST($1, $2) AS u (numero_domanda, posto)
         WHERE s.numero_domanda = u.numero_domanda AND s.posto = u.posto",
    )
    .bind(numeri)
    .bind(posti)
    .execute(connessione)
    .await
    .map_err(guasto)?;
    if esito.rows_affected() == lunghezza(attese.len()).unsigned_abs() {
        Ok(())
    } else {
        Err(Inconsistency::new("schede", "posto", "a document for a sheet that is not there").into())
    }
}
