//! What an ente is told of a domanda, whatever the store: one row of which the lists (sheets, acts) are JSON arrays, so
//! that one trip brings all. An instant in them is milliseconds, a truth value 0 or 1.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::{ColumnIndex, Decode, Row, Type};

use super::Inconsistency;
use super::valori::{Riga, mese, parola};
use crate::domanda::CodiceFiscale;
use crate::domanda::consultazione::{AttoDetto, Consultazione, PagamentoDelMese, SchedaDetta, SecondaMeta};
use crate::patronato::ChiaveInvio;
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};

/// One sheet: `posto`, `codice_fiscale`, `stato`, `stato_dal`, `azione_richiesta`, `decorrenza_presunta`, `ripartizione`,
/// `azione_motivo`, of the second parent's half `modalita`, the end of the IBAN, `dal`, and the state of its last riesame.
type RigaScheda = (
    u32,
    String,
    String,
    i64,
    String,
    Option<String>,
    String,
    Option<String>,
    [Option<String>; 3],
    Option<String>,
);

/// What became of one month: `posto`, `mese`, `beneficiario`, `tipo`, `importo_cent`, `istante`, `motivo`.
type RigaPagamento = (u32, String, String, String, u64, i64, Option<String>);

/// One act: `protocollo`, `operazione`, `presentata_il`, `registrata_il`, `annullata`.
type RigaAtto = (String, String, i64, i64, u8);

/// The row; the instants of the registration are read by who knows how the store keeps them.
pub(super) fn consultazione<R: Row>(
    row: &R,
    [presentata_il, registrata_il]: [Timestamp; 2],
) -> Result<Consultazione, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    bool: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Vec<u8>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga {
        table: "registrazioni",
        row,
    };
    let mut schede: Vec<RigaScheda> = list(&riga, "schede")?;
    // Here it costs nothing; in the statement it is a sorter for every domanda.
    schede.sort_unstable_by_key(|scheda| scheda.0);
    let pagamenti: Vec<RigaPagamento> = list(&riga, "pagamenti")?;
    let atti: Vec<RigaAtto> = list(&riga, "atti")?;
    Ok(Consultazione {
        protocollo: riga.parse("protocollo", |testo: String| testo.parse::<NumeroProtocollo>())?,
        numero_domanda: NumeroDomanda(riga.count("numero_domanda")?),
        chiave: riga.parse("chiave_invio", |testo: String| testo.parse::<ChiaveInvio>())?,
        presentata_il,
        registrata_il,
        codice_ufficio: riga.get("codice_ufficio")?,
        impronta: riga.digest("impronta")?,
        annullata: riga.get("annullata")?,
        schede: schede
            .into_iter()
            .map(|riga| scheda(riga, &pagamenti))
            .collect::<Result<_, _>>()?,
        atti: atti.into_iter().map(atto).collect::<Result<_, _>>()?,
    })
}

fn scheda(
    (
        posto,
        codice_fiscale,
        stato,
        stato_dal,
        azione_richiesta,
        decorrenza,
        ripartizione,
        azione_motivo,
        meta,
        riesame,
    ): RigaScheda,
    pagamenti: &[RigaPagamento],
) -> Result<SchedaDetta, Inconsistency> {
    let colonna = |colonna, causa: &'static str| Inconsistency::new("schede", colonna, causa);
    Ok(SchedaDetta {
        posto,
        codice_fiscale: codice_fiscale
            .parse::<CodiceFiscale>()
            .map_err(|errato| Inconsistency::new("schede", "codice_fiscale", errato))?,
        stato: parola(&stato).map_err(|causa| colonna("stato", causa))?,
        stato_dal: istante("schede", "stato_dal", stato_dal)?,
        azione_richiesta: parola(&azione_richiesta).map_err(|causa| colonna("azione_richiesta", causa))?,
        decorrenza_presunta: decorrenza
            .as_deref()
            .map(mese)
            .transpose()
            .map_err(|causa| colonna("decorrenza_presunta", causa))?,
        ripartizione,
        azione_motivo,
        pagamenti: pagamenti
            .iter()
            .filter(|pagamento| pagamento.0 == posto)
            .map(pagamento)
            .collect::<Result<_, _>>()?,
        seconda_meta: seconda_meta(meta)?,
        riesame: riesame
            .as_deref()
            .map(parola)
            .transpose()
            .map_err(|causa| Inconsistency::new("riesami", "stato", causa))?,
    })
}

fn seconda_meta(
    [modalita, iban_finale, dal]: [Option<String>; 3],
) -> Result<Option<SecondaMeta>, Inconsistency> {
    if modalita.is_none() && dal.is_none() {
        return Ok(None);
    }
    let dal = dal.as_deref().map(mese).transpose();
    Ok(Some(SecondaMeta {
        modalita,
        iban_finale,
        dal: dal.map_err(|causa| Inconsistency::new("schede", "altro_genitore_dal", causa))?,
    }))
}

fn pagamento(
    (_, del_mese, beneficiario, tipo, importo_cent, quando, motivo): &RigaPagamento,
) -> Result<PagamentoDelMese, Inconsistency> {
    Ok(PagamentoDelMese {
        mese: mese(del_mese).map_err(|causa| Inconsistency::new("pagamenti", "mese", causa))?,
        beneficiario: beneficiario.clone(),
        tipo: tipo.clone(),
        importo_cent: *importo_cent,
        istante: istante("pagamenti", "istante", *quando)?,
        motivo: motivo.clone(),
    })
}

fn atto(
    (protocollo, operazione, presentata_il, registrata_il, annullata): RigaAtto,
) -> Result<AttoDetto, Inconsistency> {
    Ok(AttoDetto {
        protocollo: protocollo
            .parse::<NumeroProtocollo>()
            .map_err(|errato| Inconsistency::new("registrazioni", "protocollo", errato))?,
        operazione,
        presentata_il: istante("registrazioni", "presentata_il", presentata_il)?,
        registrata_il: istante("registrazioni", "registrata_il", registrata_il)?,
        annullata: annullata != 0,
    })
}

fn list<R: Row, T: DeserializeOwned>(riga: &Riga<'_, R>, column: &'static str) -> Result<T, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    riga.parse(column, |testo: String| serde_json::from_str(&testo))
}

fn istante(table: &'static str, column: &'static str, ms: i64) -> Result<Timestamp, Inconsistency> {
    Timestamp::from_millisecond(ms).map_err(|errato| Inconsistency::new(table, column, errato))
}
