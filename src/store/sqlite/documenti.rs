//! Documents: what is known of each, its bytes, and the sheets that waited for it; and the riesami that they may support.

use sqlx::sqlite::SqliteConnection;

use super::batch::{Inserimento, Tabella, Valori, insert};
use super::row::guasto;
use crate::store::codec::Codec;
use crate::store::effetti::{Documento, Riesame, attese, documenti, riesami};
use crate::store::registro::Nuova;
use crate::store::valori::{intero, json};
use crate::store::{Inconsistency, StoreError};

/// The documents of these registrations; their bytes one a trip, since one may be as long as a whole batch of the rest.
pub(super) async fn insert_documenti(
    connessione: &mut SqliteConnection,
    nuove: &[Nuova<'_>],
) -> Result<(), StoreError> {
    let documenti = documenti(nuove);
    insert(connessione, ALLEGATI, &documenti, bind_allegato).await?;
    for documento in &documenti {
        let mut inserimento = Inserimento::default();
        inserimento.rows(DOCUMENTI, std::slice::from_ref(documento), bind_documento);
        inserimento.execute(connessione).await?;
    }
    Ok(())
}

const ALLEGATI: Tabella = Tabella {
    testa: "INSERT INTO allegati (registrazione, posto, tipo, nome_file, tipo_mime, impronta, bytes_len, schede)",
    riga: "(?,?,?,?,?,?,?,?)",
    coda: "",
};

fn bind_allegato(valori: &mut Valori, documento: &Documento<'_>) {
    let allegato = documento.allegato;
    valori
        .push(documento.nuova.id)
        .push(documento.posto)
        .text(allegato.tipo)
        .text(&allegato.nome_file)
        .text(allegato.tipo_mime)
        .bytes(&allegato.impronta)
        .push(intero(allegato.bytes_len))
        .push(documento.schede.map(|schede| json(&schede)));
}

const DOCUMENTI: Tabella = Tabella {
    testa: "INSERT INTO documenti (registrazione, posto, codec, bytes)",
    riga: "(?,?,?,?)",
    coda: "",
};

fn bind_documento(valori: &mut Valori, documento: &Documento<'_>) {
    valori
        .push(documento.nuova.id)
        .push(documento.posto)
        .text(Codec::Identity.as_str())
        .bytes(&documento.allegato.originale.byte);
}

/// The riesami that these registrations ask for.
pub(super) async fn insert_riesami(
    connessione: &mut SqliteConnection,
    nuove: &[Nuova<'_>],
) -> Result<(), StoreError> {
    insert(
        connessione,
        RIESAMI,
        &riesami(nuove),
        |valori, riesame: &Riesame<'_>| {
            valori
                .push(riesame.nuova.id)
                .push(intero(riesame.nuova.registrata.numero_domanda.0))
                .push(riesame.posto)
                .text(riesame.motivo)
                .text(riesame.motivazione)
                .push(riesame.nuova.ricevuta.registrata_il.as_millisecond());
        },
    )
    .await
}

const RIESAMI: Tabella = Tabella {
    testa: "INSERT INTO riesami (registrazione, numero_domanda, posto, motivo, motivazione, stato_dal)",
    riga: "(?,?,?,?,?,?)",
    coda: "",
};

/// Sheets that waited for documents wait no longer.
pub(super) async fn settle_sheets(
    connessione: &mut SqliteConnection,
    nuove: &[Nuova<'_>],
) -> Result<(), StoreError> {
    for (numero, posto) in attese(nuove) {
        let esito = sqlx::query(
            "UPDATE schede SET azione_richiesta = 'NESSUNA' WHERE numero_domanda = ? AND posto = ?",
        )
        .bind(intero(numero.0))
        .bind(posto)
        .execute(&mut *connessione)
        .await
        .map_err(guasto)?;
        if esito.rows_affected() != 1 {
            return Err(
                Inconsistency::new("schede", "posto", "a document for a sheet that is not there").into(),
            );
        }
    }
    Ok(())
}
