//! What the keeper of the register does: each act one transaction, BEGIN IMMEDIATE to COMMIT. No number is drawn, so
//! nothing needs settling first: that would wait for every reader of a gateway at work.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;

use super::row::{begin, guasto};
use super::{Presa, SqliteStore, assegnazioni, emergenze, lacune};
use crate::domanda::Ambiente;
use crate::protocollo::NumeroProtocollo;
use crate::registro::{
    Annullamento, Assegnazione, Campo, Correlazione, Emergenza, Fatti, Giornaliero, Iscrizione, Lacuna,
    Proroga, RecuperoFatto,
};
use crate::store::StoreError;
use crate::store::codec::pack;
use crate::store::lacune::Dichiarazione;
use crate::store::legale::{
    Annullo, Apertura, CONTRADDIZIONI, Conservato, EsitoAnnullo, EsitoApertura, EsitoAssegnazione,
    EsitoProroga, RegistroLegale, RichiestaAssegnazione, RichiestaProroga, StatoRegistro, annullamento_from,
    conservato_from, giornaliero_from, giorno_from, iscrizione_from, stato_from,
};
use crate::store::valori::{Riga, al_millesimo, intero, lunghezza};

#[async_trait]
impl RegistroLegale for SqliteStore {
    async fn annulla(&self, annullo: &Annullo<'_>, adesso: Timestamp) -> Result<EsitoAnnullo, StoreError> {
        let mut presa = self.take().await?;
        begin(&mut presa.connessione).await?;
        let esito = annulla(&mut presa.connessione, annullo, adesso).await;
        finish(presa, esito).await
    }

    async fn iscrizione(&self, protocollo: &NumeroProtocollo) -> Result<Option<Iscrizione>, StoreError> {
        let row = sqlx::query(AssertSqlSafe(format!("{ISCRIZIONI} WHERE r.protocollo = ?")))
            .bind(protocollo.to_string())
            .fetch_optional(&self.lettori)
            .await
            .map_err(guasto)?;
        Ok(row.as_ref().map(iscrizione_from).transpose()?)
    }

    async fn annullamenti(&self, iscrizione: &Iscrizione) -> Result<Vec<Annullamento>, StoreError> {
        let righe = sqlx::query(AssertSqlSafe(format!(
            "{ANNULLAMENTI} WHERE a.registrazione = ? ORDER BY a.annullata_il, a.id"
        )))
        .bind(iscrizione.id)
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(righe.iter().map(annullamento_from).collect::<Result<_, _>>()?)
    }

    fn ambiente(&self) -> Ambiente {
        self.ambiente
    }

    async fn registri(&self) -> Result<Vec<StatoRegistro>, StoreError> {
        let righe = sqlx::query(
            "SELECT
                 g.registro,
                 g.chiuso_fino_a AS chiuso_ms,
                 (SELECT min(istante) FROM (
                      SELECT (SELECT r.registrata_il FROM registrazioni r WHERE r.registro = g.registro
                              ORDER BY r.anno, r.numero LIMIT 1) AS istante
                      UNION ALL
                      SELECT min(e.aperta_il) FROM emergenze e WHERE e.registro = g.registro)) AS primo_ms,
                 (SELECT count(*) FROM registrazioni r WHERE r.registro = g.registro) AS quante
             FROM registro g
             ORDER BY g.registro",
        )
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(righe.iter().map(stato_from).collect::<Result<_, _>>()?)
    }

    async fn iscrizioni(
        &self,
        registro: &str,
        (anno, numero): (i16, u64),
        limite: u32,
    ) -> Result<Vec<Iscrizione>, StoreError> {
        let righe = sqlx::query(AssertSqlSafe(format!(
            "{ISCRIZIONI} WHERE r.registro = ? AND (r.anno, r.numero) > (?, ?) ORDER BY r.anno, r.numero LIMIT ?"
        )))
        .bind(registro)
        .bind(anno)
        .bind(intero(numero))
        .bind(limite)
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(righe.iter().map(iscrizione_from).collect::<Result<_, _>>()?)
    }

    async fn fatti(&self, registro: &str, dal: Timestamp, al: Timestamp) -> Result<Fatti, StoreError> {
        let (dal_ms, al_ms) = (dal.as_millisecond(), al.as_millisecond());
        let mut lettore = self.lettori.acquire().await.map_err(guasto)?;
        let annullamenti = sqlx::query(AssertSqlSafe(format!(
            "{ANNULLAMENTI} WHERE r.registro = ? AND a.annullata_il >= ? AND a.annullata_il < ?
             ORDER BY a.annullata_il, a.id"
        )))
        .bind(registro)
        .bind(dal_ms)
        .bind(al_ms)
        .fetch_all(&mut *lettore)
        .await
        .map_err(guasto)?;
        let assegnazioni = assegnazioni::between(&mut lettore, registro, dal, al).await?;
        let emergenze = emergenze::between(&mut lettore, registro, dal, al).await?;
        let proroghe = emergenze::extensions_between(&mut lettore, registro, dal, al).await?;
        let mut lacune = lacune::read(&mut lettore).await?;
        lacune.retain(|lacuna| lacuna.registro == registro && (dal..al).contains(&lacuna.dichiarata_il));
        let mut recuperi = lacune::read_recuperi(&mut lettore).await?;
        recuperi.retain(|fatto| fatto.registro == registro && (dal..al).contains(&fatto.recuperate_il));
        Ok(Fatti {
            lacune,
            recuperi,
            annullamenti: annullamenti
                .iter()
                .map(annullamento_from)
                .collect::<Result<_, _>>()?,
            assegnazioni,
            emergenze,
            proroghe,
        })
    }

    async fn dichiara(
        &self,
        dichiarazione: &Dichiarazione<'_>,
        adesso: Timestamp,
    ) -> Result<Vec<Lacuna>, StoreError> {
        let mut presa = self.take().await?;
        begin(&mut presa.connessione).await?;
        let esito = lacune::declare(&mut presa.connessione, dichiarazione, adesso).await;
        finish(presa, esito).await
    }

    async fn lacune(&self) -> Result<Vec<Lacuna>, StoreError> {
        let mut lettore = self.lettori.acquire().await.map_err(guasto)?;
        lacune::read(&mut lettore).await
    }

    async fn recuperi(&self) -> Result<Vec<RecuperoFatto>, StoreError> {
        let mut lettore = self.lettori.acquire().await.map_err(guasto)?;
        lacune::read_recuperi(&mut lettore).await
    }

    async fn chiudi(&self, registro: &str, fino_a: Timestamp) -> Result<(), StoreError> {
        let mut presa = self.take().await?;
        begin(&mut presa.connessione).await?;
        let esito =
            sqlx::query("UPDATE registro SET chiuso_fino_a = max(chiuso_fino_a, ?) WHERE registro = ?")
                .bind(fino_a.as_millisecond())
                .bind(registro)
                .execute(&mut presa.connessione)
                .await
                .map(drop)
                .map_err(guasto);
        finish(presa, esito).await
    }

    async fn giornaliero(&self, registro: &str, giorno: Date) -> Result<Option<Giornaliero>, StoreError> {
        let row = sqlx::query(AssertSqlSafe(format!(
            "{GIORNALIERI} WHERE registro = ? AND giorno = ?"
        )))
        .bind(registro)
        .bind(giorno.to_string())
        .fetch_optional(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(row.as_ref().map(giornaliero_from).transpose()?)
    }

    async fn ultimo_giornaliero(&self, registro: &str) -> Result<Option<Giornaliero>, StoreError> {
        let row = sqlx::query(AssertSqlSafe(format!(
            "{GIORNALIERI} WHERE registro = ? ORDER BY giorno DESC LIMIT 1"
        )))
        .bind(registro)
        .fetch_optional(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(row.as_ref().map(giornaliero_from).transpose()?)
    }

    async fn conserva(&self, giornaliero: &Giornaliero) -> Result<(), StoreError> {
        let conservato = pack(&giornaliero.documento);
        let mut presa = self.take().await?;
        begin(&mut presa.connessione).await?;
        let esito = sqlx::query(
            "INSERT INTO registri_giornalieri
                 (registro, giorno, composto_il, fino_anno, fino_numero, precedente, sha256, bytes_len, codec, bytes)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
             WHERE NOT EXISTS (SELECT 1 FROM registri_giornalieri WHERE registro = ?1 AND giorno = ?2)",
        )
        .bind(&giornaliero.registro)
        .bind(giornaliero.giorno.to_string())
        .bind(giornaliero.composto_il.as_millisecond())
        .bind(giornaliero.fino_a.0)
        .bind(intero(giornaliero.fino_a.1))
        .bind(&giornaliero.precedente[..])
        .bind(&giornaliero.sha256[..])
        .bind(lunghezza(conservato.bytes_len))
        .bind(conservato.codec.as_str())
        .bind(&conservato.bytes)
        .execute(&mut presa.connessione)
        .await
        .map(drop)
        .map_err(guasto);
        finish(presa, esito).await
    }

    async fn giorni(&self, registro: &str) -> Result<Vec<Date>, StoreError> {
        let righe = sqlx::query("SELECT giorno FROM registri_giornalieri WHERE registro = ? ORDER BY giorno")
            .bind(registro)
            .fetch_all(&self.lettori)
            .await
            .map_err(guasto)?;
        Ok(righe.iter().map(giorno_from).collect::<Result<_, _>>()?)
    }

    async fn conservati(
        &self,
        registro: &str,
        (anno, numero): (i16, u64),
        limite: u32,
    ) -> Result<Vec<Conservato>, StoreError> {
        let righe = sqlx::query(
            "SELECT
                 r.anno,
                 r.numero,
                 v.formato AS v_formato, v.codec AS v_codec, v.chiave_id AS v_chiave_id, v.bytes_len AS v_bytes_len,
                 v.bytes AS v_bytes,
                 p.codec AS p_codec, p.chiave_id AS p_chiave_id, p.bytes_len AS p_bytes_len, p.bytes AS p_bytes,
                 p.domanda_da AS p_da, p.domanda_a AS p_a,
                 EXISTS (SELECT 1 FROM scarti s WHERE s.registrazione = r.id) AS scartata,
                 1 AS chiave
             FROM registrazioni r
             LEFT JOIN ricevute v ON v.registrazione = r.id
             LEFT JOIN payload p ON p.registrazione = r.id
             WHERE r.registro = ? AND (r.anno, r.numero) > (?, ?)
             ORDER BY r.anno, r.numero
             LIMIT ?",
        )
        .bind(registro)
        .bind(anno)
        .bind(intero(numero))
        .bind(limite)
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(righe.iter().map(conservato_from).collect::<Result<_, _>>()?)
    }

    async fn contraddizioni(&self) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar(CONTRADDIZIONI)
            .fetch_all(&self.lettori)
            .await
            .map_err(guasto)
    }

    async fn apri_emergenza(
        &self,
        apertura: &Apertura<'_>,
        adesso: Timestamp,
    ) -> Result<EsitoApertura, StoreError> {
        let mut presa = self.take().await?;
        begin(&mut presa.connessione).await?;
        let esito = emergenze::open(&mut presa.connessione, apertura, adesso).await;
        finish(presa, esito).await
    }

    async fn chiudi_emergenza(
        &self,
        registro: &str,
        operatore: &str,
        adesso: Timestamp,
    ) -> Result<Option<Emergenza>, StoreError> {
        let mut presa = self.take().await?;
        begin(&mut presa.connessione).await?;
        let esito = emergenze::close(&mut presa.connessione, registro, operatore, adesso).await;
        finish(presa, esito).await
    }

    async fn proroga_emergenza(
        &self,
        richiesta: &RichiestaProroga<'_>,
        adesso: Timestamp,
    ) -> Result<EsitoProroga, StoreError> {
        let mut presa = self.take().await?;
        begin(&mut presa.connessione).await?;
        let esito = emergenze::extend(&mut presa.connessione, richiesta, adesso).await;
        finish(presa, esito).await
    }

    async fn proroghe(&self) -> Result<Vec<Proroga>, StoreError> {
        emergenze::extensions(&self.lettori).await
    }

    async fn assegna(
        &self,
        richiesta: &RichiestaAssegnazione<'_>,
        adesso: Timestamp,
    ) -> Result<EsitoAssegnazione, StoreError> {
        let mut presa = self.take().await?;
        begin(&mut presa.connessione).await?;
        let esito = assegnazioni::assign(&mut presa.connessione, richiesta, adesso).await;
        finish(presa, esito).await
    }

    async fn assegnazioni(&self, iscrizione: &Iscrizione) -> Result<Vec<Assegnazione>, StoreError> {
        assegnazioni::of(&self.lettori, iscrizione.id).await
    }

    async fn emergenze(&self) -> Result<Vec<Emergenza>, StoreError> {
        emergenze::all(&self.lettori).await
    }

    async fn correlazioni(&self, emergenza: i64) -> Result<Vec<Correlazione>, StoreError> {
        emergenze::correlations(&self.lettori, emergenza).await
    }
}

/// Now, but never before the last registration, nor on a day that is closed.
pub(super) async fn not_before_the_register(
    connessione: &mut SqliteConnection,
    registro: &str,
    adesso: Timestamp,
) -> Result<Timestamp, StoreError> {
    let row =
        sqlx::query("SELECT max(ultimo_istante, chiuso_fino_a) AS istante FROM registro WHERE registro = ?")
            .bind(registro)
            .fetch_one(connessione)
            .await
            .map_err(guasto)?;
    let riga = Riga {
        table: "registro",
        row: &row,
    };
    Ok(al_millesimo(adesso).max(riga.istante("istante")?))
}

/// Commits what went well and puts the connection back; closes it on what did not.
pub(super) async fn finish<T>(presa: Presa<'_>, esito: Result<T, StoreError>) -> Result<T, StoreError> {
    match esito {
        Ok(fatto) => presa.commit().await.map(|()| fatto).map_err(|(_, causa)| causa),
        Err(errore) => {
            presa.discard().await;
            Err(errore)
        }
    }
}

/// All that the transaction does up to COMMIT.
async fn annulla(
    connessione: &mut SqliteConnection,
    annullo: &Annullo<'_>,
    adesso: Timestamp,
) -> Result<EsitoAnnullo, StoreError> {
    let campo = annullo.campo.map(Campo::as_str);
    let row = sqlx::query(
        "SELECT
             r.id,
             r.ente,
             r.servizio,
             r.numero_domanda,
             r.presentata_il,
             r.registrata_il,
             g.chiuso_fino_a,
             EXISTS (SELECT 1 FROM domande d WHERE d.numero = r.numero_domanda AND d.registrazione = r.id) AS apre,
             (SELECT min(a.annullata_il) FROM annullamenti a
              WHERE a.registrazione = r.id AND (a.campo IS NULL OR a.campo = ?)) AS gia
         FROM registrazioni r
         JOIN registro g ON g.registro = r.registro
         WHERE r.protocollo = ?",
    )
    .bind(campo)
    .bind(annullo.protocollo.to_string())
    .fetch_optional(&mut *connessione)
    .await
    .map_err(guasto)?;
    let Some(row) = row else {
        return Ok(EsitoAnnullo::Sconosciuta);
    };
    let riga = Riga {
        table: "registrazioni",
        row: &row,
    };
    if let Some(gia) = riga.parse_option("gia", Timestamp::from_millisecond)? {
        return Ok(EsitoAnnullo::GiaAnnullata(gia));
    }
    let id: i64 = riga.get("id")?;
    let registrata_il = riga.istante("registrata_il")?;
    // Not before what it annuls, and never on a day that is closed.
    let annullata_il = al_millesimo(adesso)
        .max(registrata_il)
        .max(riga.istante("chiuso_fino_a")?);
    sqlx::query(
        "INSERT INTO annullamenti
             (registrazione, campo, annullata_il, operatore, motivo, provvedimento_numero, provvedimento_data)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(campo)
    .bind(annullata_il.as_millisecond())
    .bind(annullo.operatore)
    .bind(annullo.motivo)
    .bind(&annullo.provvedimento.numero)
    .bind(annullo.provvedimento.data.to_string())
    .execute(&mut *connessione)
    .await
    .map_err(guasto)?;
    if campo.is_some() {
        return Ok(EsitoAnnullo::Annullata {
            annullata_il,
            schede: 0,
        });
    }

    let apre: bool = riga.get("apre")?;
    let numero_domanda = riga.count("numero_domanda")?;
    let schede = if apre {
        sqlx::query(
            "UPDATE schede
             SET stato = 'ANNULLATA',
                 stato_dal = ?,
                 azione_richiesta = 'NESSUNA'
             WHERE numero_domanda = ? AND stato <> 'ANNULLATA'",
        )
        .bind(annullata_il.as_millisecond())
        .bind(intero(numero_domanda))
        .execute(&mut *connessione)
        .await
        .map_err(guasto)?
        .rows_affected()
    } else {
        0
    };
    sqlx::query(
        "INSERT INTO variazioni
             (istante, tipo, ente, servizio, numero_domanda, registrazione, presentata_il, registrata_il, stato,
              azione_richiesta)
         VALUES (?, 'ANNULLATA', ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(annullata_il.as_millisecond())
    .bind(riga.get::<String>("ente")?)
    .bind(riga.get::<String>("servizio")?)
    .bind(intero(numero_domanda))
    .bind(id)
    .bind(riga.istante("presentata_il")?.as_millisecond())
    .bind(registrata_il.as_millisecond())
    .bind(apre.then_some("ANNULLATA"))
    .bind(apre.then_some("NESSUNA"))
    .execute(connessione)
    .await
    .map_err(guasto)?;
    Ok(EsitoAnnullo::Annullata { annullata_il, schede })
}

/// A registration with all its data, as [`iscrizione_from`] reads it.
const ISCRIZIONI: &str = "SELECT
    r.id, r.anno, r.numero, r.protocollo, r.registrata_il AS registrata_ms, r.presentata_il AS presentata_ms, r.oggetto,
    r.servizio, r.operazione, r.ente, r.ente_denominazione, r.codice_ufficio, r.user_id, r.richiedente, r.destinatario,
    r.chiave_invio, r.data_pratica, r.numero_domanda,
    (SELECT c.protocollo FROM registrazioni c WHERE c.id = r.collegato_a) AS collegato,
    lower(hex(r.digest)) AS digest, r.digest_versione, lower(hex(r.impronta)) AS impronta, r.impronta_algoritmo,
    (SELECT json_group_array(json_object('impronta', a.impronta, 'tipo_mime', a.tipo_mime, 'nome_file', a.nome_file))
     FROM (SELECT lower(hex(impronta)) AS impronta, tipo_mime, nome_file
           FROM allegati WHERE registrazione = r.id ORDER BY posto) a) AS allegati,
    r.canale, r.message_id, r.certificato_sha256, nullif(lower(hex(r.ricevuta_sha256)), '') AS ricevuta_sha256,
    nullif(lower(hex(r.richiesta_sha256)), '') AS richiesta_sha256,
    (SELECT e.numero FROM emergenza_registrazioni e WHERE e.registrazione = r.id) AS emergenza
FROM registrazioni r";

/// An annulment, as [`annullamento_from`] reads it.
const ANNULLAMENTI: &str = "SELECT
    a.id, r.protocollo, a.campo, a.annullata_il AS annullata_ms, a.operatore, a.motivo,
    a.provvedimento_numero, a.provvedimento_data
FROM annullamenti a
JOIN registrazioni r ON r.id = a.registrazione";

/// A daily register, as [`giornaliero_from`] reads it.
const GIORNALIERI: &str = "SELECT
    registro, giorno, composto_il AS composto_ms, fino_anno, fino_numero, precedente, sha256, bytes_len, codec, chiave_id,
    bytes
FROM registri_giornalieri";
