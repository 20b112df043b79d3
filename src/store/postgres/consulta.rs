//! What an ente is told of a domanda, in one statement.

use sqlx::QueryBuilder;
use sqlx::postgres::{PgConnection, PgRow, Postgres};

use super::query::push_named;
use super::row::guasto;
use crate::domanda::consultazione::{Consultazione, Riferimento};
use crate::patronato::CodiceEnte;
use crate::store::StoreError;
use crate::store::consulta::consultazione;
use crate::store::valori::Riga;

/// An instant as the lists have it.
macro_rules! ms {
    ($istante:literal) => {
        concat!("(extract(epoch FROM ", $istante, ") * 1000)::bigint")
    };
}

/// A domanda of an ente's own, by any of its names.
pub(super) async fn consulta(
    connessione: &mut PgConnection,
    ente: &CodiceEnte,
    servizio: &'static str,
    riferimento: &Riferimento,
) -> Result<Option<Consultazione>, StoreError> {
    let mut query = QueryBuilder::<Postgres>::new(concat!(
        "SELECT r.protocollo, r.chiave_invio, r.presentata_il, r.registrata_il, r.codice_ufficio, r.impronta,
                d.numero AS numero_domanda,
                EXISTS (SELECT 1 FROM annullamenti a WHERE a.registrazione = r.id AND a.campo IS NULL) AS annullata,
                (SELECT coalesce(json_agg(json_build_array(s.posto, s.codice_fiscale, s.stato, ",
        ms!("s.stato_dal"),
        ", s.azione_richiesta, s.decorrenza_presunta, s.ripartizione, s.azione_motivo,
                            json_build_array(NULL, NULL, NULL),
                            (SELECT i.stato FROM riesami i
                             WHERE i.numero_domanda = s.numero_domanda AND i.posto = s.posto
                             ORDER BY i.registrazione DESC LIMIT 1)) ORDER BY s.posto), '[]')::text
                 FROM schede s
                 WHERE s.numero_domanda = d.numero) AS schede,
                (SELECT coalesce(json_agg(json_build_array(p.posto, p.mese, p.beneficiario, p.tipo, p.importo_cent, ",
        ms!("p.istante"),
        ", p.motivo) ORDER BY p.decisione), '[]')::text
                 FROM pagamenti p
                 WHERE p.numero_domanda = d.numero) AS pagamenti,
                (SELECT coalesce(json_agg(json_build_array(t.protocollo, t.operazione, ",
        ms!("t.presentata_il"),
        ", ",
        ms!("t.registrata_il"),
        ", (EXISTS (SELECT 1 FROM annullamenti a WHERE a.registrazione = t.id AND a.campo IS NULL))::integer)
                                  ORDER BY t.registrata_il, t.numero), '[]')::text
                 FROM atti a
                 JOIN registrazioni t ON t.id = a.registrazione AND t.anno = a.anno
                 WHERE a.numero_domanda = d.numero) AS atti
         FROM registrazioni n
         JOIN domande d ON d.numero = n.numero_domanda AND d.ente = n.ente
         JOIN registrazioni r ON r.id = d.registrazione AND r.anno = d.anno
         WHERE "
    ));
    push_named(&mut query, ente, servizio, riferimento);
    let row = query.build().fetch_optional(connessione).await.map_err(guasto)?;
    row.as_ref().map(told).transpose()
}

fn told(row: &PgRow) -> Result<Consultazione, StoreError> {
    let riga = Riga {
        table: "registrazioni",
        row,
    };
    let istanti = [riga.istante("presentata_il")?, riga.istante("registrata_il")?];
    Ok(consultazione(row, istanti)?)
}
