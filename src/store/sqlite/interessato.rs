//! What is held on one person: see [`crate::store::interessato`].

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;

use super::SqliteStore;
use super::row::guasto;
use crate::protocollo::NumeroDomanda;
use crate::store::carte::allegato;
use crate::store::interessato::{ArchivioInteressati, DocumentoTenuto, DomandaTenuta, RegistrazioneTenuta};
use crate::store::valori::{Riga, intero};
use crate::store::{Inconsistency, StoreError};
use crate::trace::persona::Persona;

#[async_trait]
impl ArchivioInteressati for SqliteStore {
    async fn ultima_domanda(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT coalesce(max(numero), 0) AS numero FROM domande")
            .fetch_one(&self.lettori)
            .await
            .map_err(guasto)?;
        let riga = Riga {
            table: "domande",
            row: &row,
        };
        Ok(riga.count("numero")?)
    }

    async fn domande_con(
        &self,
        persona: &Persona,
        dopo: u64,
        fino_a: u64,
    ) -> Result<Vec<DomandaTenuta>, StoreError> {
        let righe = sqlx::query(
            "SELECT d.numero, d.servizio, d.ente
             FROM domande d
             WHERE d.numero > ?1 AND d.numero <= ?2
               AND (d.richiedente = ?3
                    OR d.genitore_tutelato = ?3
                    OR EXISTS (SELECT 1 FROM schede s
                               WHERE s.numero_domanda = d.numero
                                 AND (s.codice_fiscale = ?3 OR s.altro_genitore = ?3))
                    OR EXISTS (SELECT 1 FROM atti a
                               JOIN registrazioni r ON r.id = a.registrazione
                               WHERE a.numero_domanda = d.numero AND r.richiedente = ?3))
             ORDER BY d.numero",
        )
        .bind(intero(dopo))
        .bind(intero(fino_a))
        .bind(persona.as_str())
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(righe.iter().map(domanda_from).collect::<Result<_, _>>()?)
    }

    async fn registrazioni_di(&self, numero: NumeroDomanda) -> Result<Vec<RegistrazioneTenuta>, StoreError> {
        let righe = sqlx::query(
            "SELECT r.id, r.protocollo, r.operazione, r.presentata_il, r.registrata_il, r.ente, r.canale, r.richiedente,
                    r.impronta, x.scartata_il,
                    EXISTS (SELECT 1 FROM annullamenti n WHERE n.registrazione = r.id AND n.campo IS NULL) AS annullata
             FROM registrazioni r
             LEFT JOIN scarti x ON x.registrazione = r.id
             WHERE r.id IN (SELECT registrazione FROM domande WHERE numero = ?1
                            UNION ALL
                            SELECT registrazione FROM atti WHERE numero_domanda = ?1)
             ORDER BY r.id",
        )
        .bind(intero(numero.0))
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(righe.iter().map(registrazione_from).collect::<Result<_, _>>()?)
    }

    async fn documenti_di(
        &self,
        _: NumeroDomanda,
        registrazione: i64,
    ) -> Result<Vec<DocumentoTenuto>, StoreError> {
        let righe = sqlx::query(
            "SELECT a.posto, a.tipo, a.nome_file, a.tipo_mime, a.impronta, a.bytes_len,
                    EXISTS (SELECT 1 FROM documenti d
                            WHERE d.registrazione = a.registrazione AND d.posto = a.posto) AS tenuto
             FROM allegati a
             WHERE a.registrazione = ?
             ORDER BY a.posto",
        )
        .bind(registrazione)
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        let documento_from = |row| {
            let riga = Riga {
                table: "allegati",
                row,
            };
            Ok::<_, Inconsistency>(DocumentoTenuto {
                posto: riga.get("posto")?,
                allegato: allegato(row)?,
                tenuto: riga.get("tenuto")?,
            })
        };
        Ok(righe.iter().map(documento_from).collect::<Result<_, _>>()?)
    }

    async fn byte_del_documento(
        &self,
        _: NumeroDomanda,
        registrazione: i64,
        posto: u32,
    ) -> Result<Option<Bytes>, StoreError> {
        let row = sqlx::query(
            "SELECT a.bytes_len, d.codec, d.chiave_id, d.bytes
             FROM documenti d
             JOIN allegati a ON a.registrazione = d.registrazione AND a.posto = d.posto
             WHERE d.registrazione = ? AND d.posto = ?",
        )
        .bind(registrazione)
        .bind(posto)
        .fetch_optional(&self.lettori)
        .await
        .map_err(guasto)?;
        let bytes = |row| {
            let riga = Riga {
                table: "documenti",
                row,
            };
            riga.bytes()
        };
        Ok(row.as_ref().map(bytes).transpose()?)
    }
}

fn domanda_from(row: &SqliteRow) -> Result<DomandaTenuta, Inconsistency> {
    let riga = Riga {
        table: "domande",
        row,
    };
    Ok(DomandaTenuta {
        numero: NumeroDomanda(riga.count("numero")?),
        servizio: riga.get("servizio")?,
        ente: riga.get("ente")?,
    })
}

fn registrazione_from(row: &SqliteRow) -> Result<RegistrazioneTenuta, Inconsistency> {
    let riga = Riga {
        table: "registrazioni",
        row,
    };
    Ok(RegistrazioneTenuta {
        id: riga.get("id")?,
        protocollo: riga.get("protocollo")?,
        operazione: riga.get("operazione")?,
        presentata_il: riga.istante("presentata_il")?,
        registrata_il: riga.istante("registrata_il")?,
        ente: riga.get("ente")?,
        canale: riga.get("canale")?,
        richiedente: riga.get("richiedente")?,
        impronta: riga.digest("impronta")?,
        annullata: riga.get("annullata")?,
        scartata_il: riga.parse_option("scartata_il", Timestamp::from_millisecond)?,
    })
}
