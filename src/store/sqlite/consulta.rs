//! What an ente is told of a domanda, in one statement.

use sqlx::QueryBuilder;
use sqlx::sqlite::{Sqlite, SqlitePool, SqliteRow};

use super::query::push_named;
use super::row::guasto;
use crate::domanda::consultazione::{Consultazione, Riferimento};
use crate::patronato::CodiceEnte;
use crate::store::StoreError;
use crate::store::consulta::consultazione;
use crate::store::valori::Riga;

/// A domanda of an ente's own, by any of its names.
pub(super) async fn consulta(
    pool: &SqlitePool,
    ente: &CodiceEnte,
    servizio: &'static str,
    riferimento: &Riferimento,
) -> Result<Option<Consultazione>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT r.protocollo, r.chiave_invio, r.presentata_il, r.registrata_il, r.codice_ufficio, r.impronta,
                d.numero AS numero_domanda,
                EXISTS (SELECT 1 FROM annullamenti a WHERE a.registrazione = r.id AND a.campo IS NULL) AS annullata,
                (SELECT json_group_array(json_array(s.posto, s.codice_fiscale, s.stato, s.stato_dal, s.azione_richiesta,
                            s.decorrenza_presunta, s.ripartizione, s.azione_motivo, json_array(NULL, NULL, NULL),
                            (SELECT i.stato FROM riesami i
                             WHERE i.numero_domanda = s.numero_domanda AND i.posto = s.posto
                             ORDER BY i.registrazione DESC LIMIT 1)))
                 FROM (SELECT * FROM schede WHERE numero_domanda = d.numero ORDER BY posto) s) AS schede,
                (SELECT json_group_array(json_array(p.posto, p.mese, p.beneficiario, p.tipo, p.importo_cent, p.istante,
                            p.motivo))
                 FROM (SELECT * FROM pagamenti WHERE numero_domanda = d.numero ORDER BY decisione) p) AS pagamenti,
                (SELECT json_group_array(json_array(t.protocollo, t.operazione, t.presentata_il, t.registrata_il,
                            EXISTS (SELECT 1 FROM annullamenti a WHERE a.registrazione = t.id AND a.campo IS NULL)))
                 FROM (SELECT ra.*
                       FROM atti a
                       JOIN registrazioni ra ON ra.id = a.registrazione
                       WHERE a.numero_domanda = d.numero
                       ORDER BY a.registrazione) t) AS atti
         FROM registrazioni n
         JOIN domande d ON d.numero = n.numero_domanda AND d.ente = n.ente
         JOIN registrazioni r ON r.id = d.registrazione
         WHERE ",
    );
    push_named(&mut query, ente, servizio, riferimento);
    let row = query.build().fetch_optional(pool).await.map_err(guasto)?;
    row.as_ref().map(told).transpose()
}

fn told(row: &SqliteRow) -> Result<Consultazione, StoreError> {
    let riga = Riga {
        table: "registrazioni",
        row,
    };
    let istanti = [riga.istante("presentata_il")?, riga.istante("registrata_il")?];
    Ok(consultazione(row, istanti)?)
}
