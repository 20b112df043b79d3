//! Columns that acts change, and a domanda with all its values to hold the next act against.

use sqlx::QueryBuilder;
use sqlx::sqlite::{Sqlite, SqliteConnection};

use super::row::guasto;
use crate::domanda::quadro::{Quadro, SchedaNelQuadro};
use crate::protocollo::NumeroDomanda;
use crate::store::quadro::{Cella, domanda_from, modifiche, scheda_from};
use crate::store::registro::Nuova;
use crate::store::valori::{Riga, intero};
use crate::store::{Inconsistency, StoreError};

/// Writes what these acts change of domande and sheets.
pub(super) async fn change_values(
    connessione: &mut SqliteConnection,
    nuove: &[Nuova<'_>],
) -> Result<(), StoreError> {
    for modifica in modifiche(nuove) {
        let (tabella, chiave) = match modifica.posto {
            Some(_) => ("schede", "numero_domanda"),
            None => ("domande", "numero"),
        };
        // Names are our own; values are always bound.
        let mut query = QueryBuilder::<Sqlite>::new(format!("UPDATE {tabella} SET "));
        let mut colonne = query.separated(", ");
        for (nome, cella) in modifica.colonne {
            colonne.push(format_args!("{nome} = "));
            match cella {
                Cella::Testo(testo) | Cella::Data(testo) | Cella::Json(testo) => {
                    colonne.push_bind_unseparated(testo)
                }
                Cella::Booleano(valore) => colonne.push_bind_unseparated(valore),
            };
        }
        query.push(format_args!(" WHERE {chiave} = "));
        query.push_bind(intero(modifica.nuova.registrata.numero_domanda.0));
        if let Some(posto) = modifica.posto {
            query.push(" AND posto = ").push_bind(posto);
        }
        let esito = query.build().execute(&mut *connessione).await.map_err(guasto)?;
        if esito.rows_affected() != 1 {
            let causa = "an act changes a row that is not there";
            return Err(Inconsistency::new(tabella, chiave, causa).into());
        }
    }
    Ok(())
}

/// A domanda with all its plain values.
pub(super) async fn quadro(
    connessione: &mut SqliteConnection,
    numero: NumeroDomanda,
) -> Result<Option<Quadro>, StoreError> {
    let numero = intero(numero.0);
    let Some(domanda) = sqlx::query("SELECT * FROM domande WHERE numero = ?")
        .bind(numero)
        .fetch_optional(&mut *connessione)
        .await
        .map_err(guasto)?
    else {
        return Ok(None);
    };
    let schede = sqlx::query(
        "SELECT s.*, r.presentata_il,
             EXISTS (SELECT 1 FROM secondi_genitori g
                     WHERE g.numero_domanda = s.numero_domanda AND g.posto = s.posto) AS completata
         FROM schede s
         JOIN registrazioni r ON r.id = s.registrazione
         WHERE s.numero_domanda = ?
         ORDER BY s.posto",
    )
    .bind(numero)
    .fetch_all(&mut *connessione)
    .await
    .map_err(guasto)?;
    let allegati = sqlx::query(
        "SELECT impronta
         FROM allegati
         WHERE registrazione IN (
             SELECT registrazione FROM domande WHERE numero = ?1
             UNION ALL
             SELECT registrazione FROM atti WHERE numero_domanda = ?1)",
    )
    .bind(numero)
    .fetch_all(connessione)
    .await
    .map_err(guasto)?;
    Ok(Some(Quadro {
        domanda: domanda_from(&domanda)?,
        schede: schede
            .iter()
            .map(|row| {
                let riga = Riga { table: "schede", row };
                Ok(SchedaNelQuadro {
                    posto: riga.get("posto")?,
                    presentata_il: riga.istante("presentata_il")?,
                    completata: riga.get("completata")?,
                    valori: scheda_from(row)?,
                })
            })
            .collect::<Result<_, Inconsistency>>()?,
        allegati: allegati
            .iter()
            .map(|row| {
                Riga {
                    table: "allegati",
                    row,
                }
                .digest("impronta")
            })
            .collect::<Result<_, _>>()?,
    }))
}
