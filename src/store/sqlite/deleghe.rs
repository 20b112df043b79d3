//! What an ente is told of a domanda that another one presented: the sheets whose second parent it spoke for.

use sqlx::QueryBuilder;
use sqlx::sqlite::{Sqlite, SqlitePool, SqliteRow};

use super::row::guasto;
use crate::domanda::consultazione::{Consultazione, Corrispondenza, Riferimento, SchedaTrovata};
use crate::patronato::CodiceEnte;
use crate::protocollo::NumeroDomanda;
use crate::store::StoreError;
use crate::store::consulta::consultazione;
use crate::store::valori::{Riga, intero};

/// The one sheet where domanda, child and second parent match. Of two of the same child, the newer.
pub(super) async fn scheda_di(
    pool: &SqlitePool,
    servizio: &'static str,
    corrispondenza: &Corrispondenza,
) -> Result<Option<SchedaTrovata>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT d.ente, d.numero, s.posto
         FROM domande d
         JOIN registrazioni r ON r.id = d.registrazione AND r.numero_domanda = d.numero
         JOIN schede s ON s.numero_domanda = d.numero
         WHERE ",
    );
    match &corrispondenza.riferimento {
        Riferimento::Protocollo(protocollo) => {
            query.push("r.protocollo = ").push_bind(protocollo.to_string())
        }
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
    let Some(row) = query.build().fetch_optional(pool).await.map_err(guasto)? else {
        return Ok(None);
    };
    let riga = Riga {
        table: "domande",
        row: &row,
    };
    Ok(Some(SchedaTrovata {
        ente: riga.parse("ente", |ente: String| ente.parse::<CodiceEnte>())?,
        numero_domanda: NumeroDomanda(riga.count("numero")?),
        posto: riga.get("posto")?,
    }))
}

/// By any name that this ente has for it: the domanda's number or protocol, or what names its own act. It is told as that
/// act presented it.
pub(super) async fn consulta(
    pool: &SqlitePool,
    ente: &CodiceEnte,
    servizio: &'static str,
    riferimento: &Riferimento,
) -> Result<Option<Consultazione>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT r.protocollo, r.chiave_invio, r.presentata_il, r.registrata_il, r.codice_ufficio, r.impronta,
                g.numero_domanda,
                EXISTS (SELECT 1 FROM annullamenti a WHERE a.registrazione = r.id AND a.campo IS NULL) AS annullata,
                (SELECT json_group_array(json_array(s.posto, s.codice_fiscale, s.stato, s.stato_dal, s.azione_richiesta,
                            s.decorrenza_presunta, s.ripartizione,
                            iif(s.azione_richiesta = 'INTEGRARE_ALTRO_GENITORE', s.azione_motivo, NULL),
                            json_array(s.altro_genitore_modalita, substr(s.altro_genitore_iban, -4), s.altro_genitore_dal), NULL))
                 FROM (SELECT s.*
                       FROM deleghe_vive sua
                       JOIN schede s ON s.numero_domanda = sua.numero_domanda AND s.posto = sua.posto
                       WHERE sua.numero_domanda = g.numero_domanda AND sua.ente = g.ente
                       ORDER BY s.posto) s) AS schede,
                (SELECT json_group_array(json_array(p.posto, p.mese, p.beneficiario, p.tipo, p.importo_cent, p.istante,
                            p.motivo))
                 FROM (SELECT *
                       FROM pagamenti_del_secondo
                       WHERE numero_domanda = g.numero_domanda
                       ORDER BY decisione) p) AS pagamenti,
                (SELECT json_group_array(json_array(t.protocollo, t.operazione, t.presentata_il, t.registrata_il,
                            EXISTS (SELECT 1 FROM annullamenti a WHERE a.registrazione = t.id AND a.campo IS NULL)))
                 FROM (SELECT ra.*
                       FROM atti a
                       JOIN registrazioni ra ON ra.id = a.registrazione AND ra.ente = g.ente
                       WHERE a.numero_domanda = g.numero_domanda
                       ORDER BY a.registrazione) t) AS atti
         FROM registrazioni n
         JOIN domande d ON d.numero = n.numero_domanda
         JOIN deleghe_vive g ON g.numero_domanda = d.numero
         JOIN registrazioni r ON r.id = g.registrazione
         WHERE ",
    );
    match riferimento {
        Riferimento::Protocollo(protocollo) => query
            .push("n.protocollo = ")
            .push_bind(protocollo.to_string())
            .push(" AND (n.id = d.registrazione OR n.ente = g.ente)"),
        Riferimento::NumeroDomanda(NumeroDomanda(numero)) => query
            .push("n.id = d.registrazione AND d.numero = ")
            .push_bind(intero(*numero)),
        Riferimento::ChiaveInvio(chiave) => query
            .push("n.ente = g.ente AND n.chiave_invio = ")
            .push_bind(chiave.as_str().to_owned()),
        Riferimento::Impronta(impronta) => query
            .push("n.ente = g.ente AND n.impronta = ")
            .push_bind(impronta.to_vec()),
    };
    query.push(" AND g.ente = ").push_bind(ente.as_str());
    query.push(" AND g.servizio = ").push_bind(servizio);
    query.push(" ORDER BY g.registrazione DESC LIMIT 1");
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
