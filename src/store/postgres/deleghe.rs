//! What an ente is told of a domanda that another one presented: the sheets whose second parent it spoke for.

use sqlx::QueryBuilder;
use sqlx::postgres::{PgConnection, PgRow, Postgres};

use super::row::guasto;
use crate::domanda::consultazione::{Consultazione, Corrispondenza, Riferimento, SchedaTrovata};
use crate::patronato::CodiceEnte;
use crate::protocollo::NumeroDomanda;
use crate::store::StoreError;
use crate::store::consulta::consultazione;
use crate::store::valori::{Riga, intero};

/// The one sheet where domanda, child and second parent match. Of two of the same child, the newer.
pub(super) async fn scheda_di(
    connessione: &mut PgConnection,
    servizio: &'static str,
    corrispondenza: &Corrispondenza,
) -> Result<Option<SchedaTrovata>, StoreError> {
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT d.ente, d.numero, s.posto
         FROM domande d
         JOIN registrazioni r ON r.id = d.registrazione AND r.anno = d.anno
         JOIN schede s ON s.numero_domanda = d.numero
         WHERE ",
    );
    match &corrispondenza.riferimento {
        Riferimento::Protocollo(protocollo) => query
            .push("r.registro = ")
            .push_bind(protocollo.registro().to_owned())
            .push(" AND r.anno = ")
            .push_bind(protocollo.anno())
            .push(" AND r.numero = ")
            .push_bind(intero(protocollo.numero()))
            // The way back from the registration to its domanda.
            .push(" AND d.numero = r.numero_domanda"),
        Riferimento::NumeroDomanda(NumeroDomanda(numero)) => {
            query.push("d.numero = ").push_bind(intero(*numero))
        }
        // Only who presented it knows its key and its imprint.
        Riferimento::ChiaveInvio(_) | Riferimento::Impronta(_) => return Ok(None),
    };
    query.push(" AND d.servizio = ").push_bind(servizio);
    query
        .push(" AND s.codice_fiscale = ")
        .push_bind(corrispondenza.figlio.as_str().to_owned());
    query
        .push(" AND s.altro_genitore = ")
        .push_bind(corrispondenza.secondo_genitore.as_str().to_owned());
    query.push(" ORDER BY s.posto DESC LIMIT 1");
    let Some(row) = query.build().fetch_optional(connessione).await.map_err(guasto)? else {
        return Ok(None);
    };
    let riga = Riga {
        table: "domande",
        row: &row,
    };
    Ok(Some(SchedaTrovata {
        ente: riga.parse("ente", |ente: String| ente.parse::<CodiceEnte>())?,
        numero_domanda: NumeroDomanda(riga.count("numero")?),
        posto: riga.parse("posto", |posto: i32| u32::try_from(posto))?,
    }))
}

/// An instant as the lists have it.
macro_rules! ms {
    ($istante:literal) => {
        concat!("(extract(epoch FROM ", $istante, ") * 1000)::bigint")
    };
}

/// By any name that this ente has for it: the domanda's number or protocol, or what names its own act. It is told as that
/// act presented it.
pub(super) async fn consulta(
    connessione: &mut PgConnection,
    ente: &CodiceEnte,
    servizio: &'static str,
    riferimento: &Riferimento,
) -> Result<Option<Consultazione>, StoreError> {
    let mut query = QueryBuilder::<Postgres>::new(concat!(
        "SELECT r.protocollo, r.chiave_invio, r.presentata_il, r.registrata_il, r.codice_ufficio, r.impronta,
                g.numero_domanda,
                EXISTS (SELECT 1 FROM annullamenti a WHERE a.registrazione = r.id AND a.campo IS NULL) AS annullata,
                (SELECT coalesce(json_agg(json_build_array(s.posto, s.codice_fiscale, s.stato, ",
        ms!("s.stato_dal"),
        ", s.azione_richiesta, s.decorrenza_presunta, s.ripartizione,
                            CASE WHEN s.azione_richiesta = 'INTEGRARE_ALTRO_GENITORE' THEN s.azione_motivo END,
                            json_build_array(s.altro_genitore_modalita, right(s.altro_genitore_iban, 4),
                                s.altro_genitore_dal), NULL) ORDER BY s.posto), '[]')::text
                 FROM deleghe_vive sua
                 JOIN schede s ON s.numero_domanda = sua.numero_domanda AND s.posto = sua.posto
                 WHERE sua.numero_domanda = g.numero_domanda AND sua.ente = g.ente) AS schede,
                (SELECT coalesce(json_agg(json_build_array(p.posto, p.mese, p.beneficiario, p.tipo, p.importo_cent, ",
        ms!("p.istante"),
        ", p.motivo) ORDER BY p.decisione), '[]')::text
                 FROM pagamenti_del_secondo p
                 WHERE p.numero_domanda = g.numero_domanda) AS pagamenti,
                (SELECT coalesce(json_agg(json_build_array(t.protocollo, t.operazione, ",
        ms!("t.presentata_il"),
        ", ",
        ms!("t.registrata_il"),
        ", (EXISTS (SELECT 1 FROM annullamenti a WHERE a.registrazione = t.id AND a.campo IS NULL))::integer)
                                  ORDER BY t.registrata_il, t.numero), '[]')::text
                 FROM atti a
                 JOIN registrazioni t ON t.id = a.registrazione AND t.anno = a.anno AND t.ente = g.ente
                 WHERE a.numero_domanda = g.numero_domanda) AS atti
         FROM registrazioni n
         JOIN domande d ON d.numero = n.numero_domanda
         JOIN deleghe_vive g ON g.numero_domanda = d.numero
         JOIN registrazioni r ON r.id = g.registrazione AND r.anno = g.anno
         WHERE "
    ));
    match riferimento {
        Riferimento::Protocollo(protocollo) => query
            .push("n.registro = ")
            .push_bind(protocollo.registro().to_owned())
            .push(" AND n.anno = ")
            .push_bind(protocollo.anno())
            .push(" AND n.numero = ")
            .push_bind(intero(protocollo.numero()))
            .push(" AND (n.id = d.registrazione OR n.ente = g.ente)"),
        Riferimento::NumeroDomanda(NumeroDomanda(numero)) => query
            .push("n.id = d.registrazione AND n.anno = d.anno AND d.numero = ")
            .push_bind(intero(*numero)),
        Riferimento::ChiaveInvio(chiave) => query
            .push("n.id = (SELECT id FROM chiavi WHERE chiave_invio = ")
            .push_bind(chiave.as_str().to_owned())
            .push(" AND ente = ")
            .push_bind(ente.as_str().to_owned())
            .push(" AND servizio = ")
            .push_bind(servizio)
            .push(")"),
        Riferimento::Impronta(impronta) => query
            .push("n.ente = g.ente AND n.impronta = ")
            .push_bind(impronta.to_vec()),
    };
    query.push(" AND g.ente = ").push_bind(ente.as_str().to_owned());
    query.push(" AND g.servizio = ").push_bind(servizio);
    query.push(" ORDER BY g.dal DESC, g.posto LIMIT 1");
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
