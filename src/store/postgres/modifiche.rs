//! Columns that acts change, and a domanda with all its values to hold the next act against.

use sqlx::QueryBuilder;
use sqlx::postgres::{PgConnection, Postgres};

use super::row::guasto;
use super::statement::without_nul;
use crate::domanda::quadro::{Quadro, SchedaNelQuadro};
use crate::protocollo::NumeroDomanda;
use crate::store::quadro::{Cella, domanda_from, modifiche, scheda_from};
use crate::store::registro::Nuova;
use crate::store::valori::{Riga, intero};
use crate::store::{Inconsistency, StoreError};

/// Writes what these acts change of domande and sheets, all of which are locked.
pub(super) async fn change_values(
    connessione: &mut PgConnection,
    nuove: &[Nuova<'_>],
) -> Result<(), StoreError> {
    for modifica in modifiche(nuove) {
        let (tabella, chiave) = match modifica.posto {
            Some(_) => ("schede", "numero_domanda"),
            None => ("domande", "numero"),
        };
        // Names are our own; values are always bound.
        let mut query = QueryBuilder::<Postgres>::new(format!("UPDATE {tabella} SET "));
        let mut colonne = query.separated(", ");
        for (nome, cella) in modifica.colonne {
            colonne.push(format_args!("{nome} = "));
            let testo = |testo: Option<String>| testo.map(|testo| without_nul(&testo).into_owned());
            match cella {
                Cella::Testo(valore) => colonne.push_bind_unseparated(testo(valore)),
                Cella::Data(valore) => colonne.push_bind_unseparated(valore).push_unseparated("::date"),
                Cella::Json(valore) => colonne
                    .push_bind_unseparated(testo(valore))
                    .push_unseparated("::jsonb"),
                Cella::Booleano(valore) => colonne.push_bind_unseparated(valore),
            };
        }
        query.push(format_args!(" WHERE {chiave} = "));
        query.push_bind(intero(modifica.nuova.registrata.numero_domanda.0));
        if let Some(posto) = modifica.posto {
            query.push(" AND posto = ").push_bind(i64::from(posto));
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
    connessione: &mut PgConnection,
    numero: NumeroDomanda,
) -> Result<Option<Quadro>, StoreError> {
    let numero = intero(numero.0);
    let Some(domanda) = sqlx::query(
        "SELECT richiedente, richiedente_nome, richiedente_cognome, richiedente_email, richiedente_cellulare,
             richiedente_indirizzo, presentata_da, genitore_tutelato, modalita, iban, intestato_richiedente,
             dichiarazioni::text AS dichiarazioni, dettagli::text AS dettagli
         FROM domande
         WHERE numero = $1",
    )
    .bind(numero)
    .fetch_optional(&mut *connessione)
    .await
    .map_err(guasto)?
    else {
        return Ok(None);
    };
    let schede = sqlx::query(
        "SELECT s.posto, s.codice_fiscale, s.data_nascita::text AS data_nascita, s.qualita, s.disabile,
             s.affido_condiviso, s.altro_genitore, s.altro_genitore_assente, s.ripartizione,
             s.altro_genitore_modalita, s.altro_genitore_iban, s.dettagli::text AS dettagli, r.presentata_il,
             EXISTS (SELECT 1 FROM secondi_genitori g
                     WHERE g.numero_domanda = s.numero_domanda AND g.posto = s.posto) AS completata
         FROM schede s
         JOIN registrazioni r ON r.id = s.registrazione
         WHERE s.numero_domanda = $1
         ORDER BY s.posto",
    )
    .bind(numero)
    .fetch_all(&mut *connessione)
    .await
    .map_err(guasto)?;
    let allegati = sqlx::query("SELECT impronta FROM allegati WHERE numero_domanda = $1")
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
                    posto: riga.parse("posto", |posto: i32| u32::try_from(posto))?,
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
