//! What the keeper of the register does: each act one transaction, under the lock of the register's row. The order of the
//! locks is that of a registration: the register, then what hangs on it, then the feed's counter.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::row::{Istante, guasto};
use super::{PostgresStore, Presa, assegnazioni, emergenze, lacune};
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
impl RegistroLegale for PostgresStore {
    async fn annulla(&self, annullo: &Annullo<'_>, adesso: Timestamp) -> Result<EsitoAnnullo, StoreError> {
        let mut presa = self.take().await?;
        presa.begin().await?;
        let esito = self
            .within(annulla(self, &mut presa.connessione, annullo, adesso))
            .await;
        finish(self, presa, esito).await
    }

    async fn iscrizione(&self, protocollo: &NumeroProtocollo) -> Result<Option<Iscrizione>, StoreError> {
        let row = sqlx::query(AssertSqlSafe(format!(
            "{ISCRIZIONI} WHERE r.registro = $1 AND r.anno = $2 AND r.numero = $3"
        )))
        .bind(protocollo.registro())
        .bind(protocollo.anno())
        .bind(intero(protocollo.numero()))
        .fetch_optional(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(row.as_ref().map(iscrizione_from).transpose()?)
    }

    async fn annullamenti(&self, iscrizione: &Iscrizione) -> Result<Vec<Annullamento>, StoreError> {
        let righe = sqlx::query(AssertSqlSafe(format!(
            "{ANNULLAMENTI} WHERE a.registrazione = $1 ORDER BY a.annullata_il, a.id"
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
                 (extract(epoch FROM g.chiuso_fino_a) * 1000)::bigint AS chiuso_ms,
                 (extract(epoch FROM least(
                      (SELECT r.registrata_il FROM registrazioni r WHERE r.registro = g.registro
                       ORDER BY r.anno, r.numero LIMIT 1),
                      (SELECT min(e.aperta_il) FROM emergenze e WHERE e.registro = g.registro))) * 1000)::bigint AS primo_ms,
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
            "{ISCRIZIONI} WHERE r.registro = $1 AND (r.anno, r.numero) > ($2, $3) ORDER BY r.anno, r.numero LIMIT $4"
        )))
        .bind(registro)
        .bind(anno)
        .bind(intero(numero))
        .bind(i64::from(limite))
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(righe.iter().map(iscrizione_from).collect::<Result<_, _>>()?)
    }

    async fn fatti(&self, registro: &str, dal: Timestamp, al: Timestamp) -> Result<Fatti, StoreError> {
        let mut lettore = self.lettore().await?;
        let annullamenti = sqlx::query(AssertSqlSafe(format!(
            "{ANNULLAMENTI} WHERE r.registro = $1 AND a.annullata_il >= $2 AND a.annullata_il < $3
             ORDER BY a.annullata_il, a.id"
        )))
        .bind(registro)
        .bind(Istante(dal))
        .bind(Istante(al))
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
        presa.begin().await?;
        let esito = self
            .within(lacune::declare(&mut presa.connessione, dichiarazione, adesso))
            .await;
        finish(self, presa, esito).await
    }

    async fn lacune(&self) -> Result<Vec<Lacuna>, StoreError> {
        lacune::read(&mut *self.lettore().await?).await
    }

    async fn recuperi(&self) -> Result<Vec<RecuperoFatto>, StoreError> {
        lacune::read_recuperi(&mut *self.lettore().await?).await
    }

    async fn chiudi(&self, registro: &str, fino_a: Timestamp) -> Result<(), StoreError> {
        // One statement, one transaction: it waits for whoever has the row, and whoever comes after sees it.
        self.within(async {
            sqlx::query(
                "UPDATE registro SET chiuso_fino_a = greatest(chiuso_fino_a, $1) WHERE registro = $2",
            )
            .bind(Istante(fino_a))
            .bind(registro)
            .execute(&self.lettori)
            .await
            .map_err(guasto)?;
            Ok(())
        })
        .await
    }

    async fn giornaliero(&self, registro: &str, giorno: Date) -> Result<Option<Giornaliero>, StoreError> {
        let row = sqlx::query(AssertSqlSafe(format!(
            "{GIORNALIERI} WHERE registro = $1 AND giorno = $2::date"
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
            "{GIORNALIERI} WHERE registro = $1 ORDER BY registri_giornalieri.giorno DESC LIMIT 1"
        )))
        .bind(registro)
        .fetch_optional(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(row.as_ref().map(giornaliero_from).transpose()?)
    }

    async fn conserva(&self, giornaliero: &Giornaliero) -> Result<(), StoreError> {
        let conservato = pack(&giornaliero.documento);
        sqlx::query(
            "INSERT INTO registri_giornalieri
                 (registro, giorno, composto_il, fino_anno, fino_numero, precedente, sha256, bytes_len, codec, bytes)
             VALUES ($1, $2::date, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT DO NOTHING",
        )
        .bind(&giornaliero.registro)
        .bind(giornaliero.giorno.to_string())
        .bind(Istante(giornaliero.composto_il))
        .bind(giornaliero.fino_a.0)
        .bind(intero(giornaliero.fino_a.1))
        .bind(&giornaliero.precedente[..])
        .bind(&giornaliero.sha256[..])
        .bind(lunghezza(conservato.bytes_len))
        .bind(conservato.codec.as_str())
        .bind(&conservato.bytes)
        .execute(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(())
    }

    async fn giorni(&self, registro: &str) -> Result<Vec<Date>, StoreError> {
        let righe = sqlx::query(
            "SELECT to_char(g.giorno, 'YYYY-MM-DD') AS giorno FROM registri_giornalieri g
             WHERE g.registro = $1 ORDER BY g.giorno",
        )
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
                 r.anno::bigint AS anno,
                 r.numero,
                 v.formato AS v_formato, v.codec AS v_codec, v.chiave_id AS v_chiave_id, v.bytes_len AS v_bytes_len,
                 v.bytes AS v_bytes,
                 p.codec AS p_codec, p.chiave_id AS p_chiave_id, p.bytes_len AS p_bytes_len, p.bytes AS p_bytes,
                 p.domanda_da AS p_da, p.domanda_a AS p_a,
                 EXISTS (SELECT 1 FROM scarti s WHERE s.registrazione = r.id) AS scartata,
                 EXISTS (SELECT 1 FROM chiavi c WHERE c.chiave_invio = r.chiave_invio AND c.ente = r.ente
                         AND c.servizio = r.servizio AND c.id = r.id) AS chiave
             FROM registrazioni r
             LEFT JOIN ricevute v ON v.numero_domanda = r.numero_domanda AND v.registrazione = r.id AND v.anno = r.anno
             LEFT JOIN payload p ON p.numero_domanda = r.numero_domanda AND p.registrazione = r.id AND p.anno = r.anno
             WHERE r.registro = $1 AND (r.anno, r.numero) > ($2, $3)
             ORDER BY r.anno, r.numero
             LIMIT $4",
        )
        .bind(registro)
        .bind(anno)
        .bind(intero(numero))
        .bind(i64::from(limite))
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(righe.iter().map(conservato_from).collect::<Result<_, _>>()?)
    }

    async fn contraddizioni(&self) -> Result<Vec<String>, StoreError> {
        let mut frasi: Vec<String> = sqlx::query_scalar(CONTRADDIZIONI)
            .fetch_all(&self.lettori)
            .await
            .map_err(guasto)?;
        let (contatore, cursore): (Option<i64>, i64) = sqlx::query_as(
            "SELECT (SELECT ultimo FROM contatori WHERE nome = 'variazione'),
                    (SELECT coalesce(max(cursore), 0)
                     FROM (SELECT max(cursore) AS cursore FROM variazioni
                           UNION ALL SELECT max(cursore) FROM variazioni_scartate) c)",
        )
        .fetch_one(&self.lettori)
        .await
        .map_err(guasto)?;
        if contatore != Some(cursore) {
            frasi.push(format!(
                "variazioni: the counter says {}, the highest cursor is {cursore}",
                contatore.unwrap_or(0)
            ));
        }
        Ok(frasi)
    }

    async fn apri_emergenza(
        &self,
        apertura: &Apertura<'_>,
        adesso: Timestamp,
    ) -> Result<EsitoApertura, StoreError> {
        let mut presa = self.take().await?;
        presa.begin().await?;
        let esito = self
            .within(emergenze::open(&mut presa.connessione, apertura, adesso))
            .await;
        finish(self, presa, esito).await
    }

    async fn chiudi_emergenza(
        &self,
        registro: &str,
        operatore: &str,
        adesso: Timestamp,
    ) -> Result<Option<Emergenza>, StoreError> {
        let mut presa = self.take().await?;
        presa.begin().await?;
        let esito = self
            .within(emergenze::close(
                &mut presa.connessione,
                registro,
                operatore,
                adesso,
            ))
            .await;
        finish(self, presa, esito).await
    }

    async fn proroga_emergenza(
        &self,
        richiesta: &RichiestaProroga<'_>,
        adesso: Timestamp,
    ) -> Result<EsitoProroga, StoreError> {
        let mut presa = self.take().await?;
        presa.begin().await?;
        let esito = self
            .within(emergenze::extend(&mut presa.connessione, richiesta, adesso))
            .await;
        finish(self, presa, esito).await
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
        presa.begin().await?;
        let esito = self
            .within(assegnazioni::assign(&mut presa.connessione, richiesta, adesso))
            .await;
        finish(self, presa, esito).await
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

/// Locks a register against every draw; tells now, but never before the last registration, nor on a closed day.
pub(super) async fn lock_and_look(
    connessione: &mut PgConnection,
    registro: &str,
    adesso: Timestamp,
) -> Result<Timestamp, StoreError> {
    let ultimo: Option<Istante> = sqlx::query_scalar(
        "SELECT greatest(ultimo_istante, chiuso_fino_a) FROM registro WHERE registro = $1 FOR UPDATE",
    )
    .bind(registro)
    .fetch_optional(connessione)
    .await
    .map_err(guasto)?;
    let adesso = al_millesimo(adesso);
    Ok(ultimo.map_or(adesso, |Istante(ultimo)| ultimo.max(adesso)))
}

/// Commits what went well and puts the connection back; closes it on what did not.
async fn finish<T>(
    store: &PostgresStore,
    presa: Presa<'_>,
    esito: Result<T, StoreError>,
) -> Result<T, StoreError> {
    match esito {
        Ok(fatto) => presa
            .commit(store)
            .await
            .map(|()| fatto)
            .map_err(|(_, causa)| causa),
        Err(errore) => {
            presa.discard().await;
            Err(errore)
        }
    }
}

/// All that the transaction does up to COMMIT.
async fn annulla(
    store: &PostgresStore,
    connessione: &mut PgConnection,
    annullo: &Annullo<'_>,
    adesso: Timestamp,
) -> Result<EsitoAnnullo, StoreError> {
    let Some(chiuso_fino_a) = lock(connessione, annullo.protocollo.registro()).await? else {
        return Ok(EsitoAnnullo::Sconosciuta);
    };
    let campo = annullo.campo.map(Campo::as_str);
    let row = sqlx::query(
        "SELECT
             r.id,
             r.ente,
             r.servizio,
             r.numero_domanda,
             r.presentata_il,
             r.registrata_il,
             EXISTS (SELECT 1 FROM domande d WHERE d.numero = r.numero_domanda AND d.registrazione = r.id) AS apre,
             (SELECT min(a.annullata_il) FROM annullamenti a
              WHERE a.registrazione = r.id AND (a.campo IS NULL OR a.campo = $1)) AS gia
         FROM registrazioni r
         WHERE r.registro = $2 AND r.anno = $3 AND r.numero = $4",
    )
    .bind(campo)
    .bind(annullo.protocollo.registro())
    .bind(annullo.protocollo.anno())
    .bind(intero(annullo.protocollo.numero()))
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
    if let Some(Istante(gia)) = riga.get("gia")? {
        return Ok(EsitoAnnullo::GiaAnnullata(gia));
    }
    let id: i64 = riga.get("id")?;
    let registrata_il = riga.istante("registrata_il")?;
    // Not before what it annuls, and never on a day that is closed.
    let annullata_il = al_millesimo(adesso).max(registrata_il).max(chiuso_fino_a);
    sqlx::query(
        "INSERT INTO annullamenti
             (registrazione, campo, annullata_il, operatore, motivo, provvedimento_numero, provvedimento_data)
         VALUES ($1, $2, $3, $4, $5, $6, $7::date)",
    )
    .bind(id)
    .bind(campo)
    .bind(Istante(annullata_il))
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
    let numero_domanda: i64 = riga.get("numero_domanda")?;
    let schede = if apre {
        sqlx::query(
            "UPDATE schede
             SET stato = 'ANNULLATA',
                 stato_dal = $1,
                 azione_richiesta = 'NESSUNA'
             WHERE numero_domanda = $2 AND stato <> 'ANNULLATA'",
        )
        .bind(Istante(annullata_il))
        .bind(numero_domanda)
        .execute(&mut *connessione)
        .await
        .map_err(guasto)?
        .rows_affected()
    } else {
        0
    };
    store.prepare_years([super::anni::anno(annullata_il)]).await?;
    sqlx::query(
        "WITH estratto AS (
             UPDATE contatori SET ultimo = ultimo + 1 WHERE nome = 'variazione' RETURNING ultimo
         )
         INSERT INTO variazioni
             (cursore, istante, tipo, ente, servizio, numero_domanda, registrazione, presentata_il, registrata_il, stato,
              azione_richiesta)
         SELECT ultimo, $1, 'ANNULLATA', $2, $3, $4, $5, $6, $7, $8, $9 FROM estratto",
    )
    .bind(Istante(annullata_il))
    .bind(riga.get::<String>("ente")?)
    .bind(riga.get::<String>("servizio")?)
    .bind(numero_domanda)
    .bind(id)
    .bind(Istante(riga.istante("presentata_il")?))
    .bind(Istante(registrata_il))
    .bind(apre.then_some("ANNULLATA"))
    .bind(apre.then_some("NESSUNA"))
    .execute(connessione)
    .await
    .map_err(guasto)?;
    Ok(EsitoAnnullo::Annullata { annullata_il, schede })
}

/// Locks a register against every draw, and tells up to when it is closed; `None` = it was never drawn from.
async fn lock(connessione: &mut PgConnection, registro: &str) -> Result<Option<Timestamp>, StoreError> {
    let chiuso: Option<Istante> =
        sqlx::query_scalar("SELECT chiuso_fino_a FROM registro WHERE registro = $1 FOR UPDATE")
            .bind(registro)
            .fetch_optional(connessione)
            .await
            .map_err(guasto)?;
    Ok(chiuso.map(|Istante(chiuso)| chiuso))
}

/// A registration with all its data, as [`iscrizione_from`] reads it.
const ISCRIZIONI: &str = "SELECT
    r.id, r.anno::bigint AS anno, r.numero, r.protocollo,
    (extract(epoch FROM r.registrata_il) * 1000)::bigint AS registrata_ms,
    (extract(epoch FROM r.presentata_il) * 1000)::bigint AS presentata_ms,
    r.oggetto, r.servizio, r.operazione, r.ente, r.ente_denominazione, r.codice_ufficio, r.user_id, r.richiedente,
    r.destinatario, r.chiave_invio, to_char(r.data_pratica, 'YYYY-MM-DD') AS data_pratica, r.numero_domanda,
    (SELECT c.protocollo FROM registrazioni c WHERE c.id = r.collegato_a) AS collegato,
    encode(r.digest, 'hex') AS digest, r.digest_versione::bigint AS digest_versione,
    encode(r.impronta, 'hex') AS impronta, r.impronta_algoritmo,
    (SELECT coalesce(json_agg(json_build_object('impronta', encode(a.impronta, 'hex'), 'tipo_mime', a.tipo_mime,
                                                'nome_file', a.nome_file) ORDER BY a.posto), '[]')::text
     FROM allegati a
     WHERE a.numero_domanda = r.numero_domanda AND a.registrazione = r.id) AS allegati,
    r.canale, r.message_id::text AS message_id, r.certificato_sha256,
    encode(r.ricevuta_sha256, 'hex') AS ricevuta_sha256, encode(r.richiesta_sha256, 'hex') AS richiesta_sha256,
    (SELECT e.numero FROM emergenza_registrazioni e WHERE e.registrazione = r.id) AS emergenza
FROM registrazioni r";

/// An annulment, as [`annullamento_from`] reads it.
const ANNULLAMENTI: &str = "SELECT
    a.id, r.protocollo, a.campo, (extract(epoch FROM a.annullata_il) * 1000)::bigint AS annullata_ms,
    a.operatore, a.motivo, a.provvedimento_numero, to_char(a.provvedimento_data, 'YYYY-MM-DD') AS provvedimento_data
FROM annullamenti a
JOIN registrazioni r ON r.id = a.registrazione";

/// A daily register, as [`giornaliero_from`] reads it.
const GIORNALIERI: &str = "SELECT
    registro, to_char(giorno, 'YYYY-MM-DD') AS giorno, (extract(epoch FROM composto_il) * 1000)::bigint AS composto_ms,
    fino_anno::bigint AS fino_anno, fino_numero, precedente, sha256, bytes_len, codec, chiave_id, bytes
FROM registri_giornalieri";
