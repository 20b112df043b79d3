//! What is held on one person: see [`crate::store::interessato`].

use async_trait::async_trait;
use bytes::Bytes;
use sqlx::postgres::PgRow;

use super::PostgresStore;
use super::row::{Istante, guasto};
use crate::protocollo::NumeroDomanda;
use crate::store::carte::allegato;
use crate::store::interessato::{ArchivioInteressati, DocumentoTenuto, DomandaTenuta, RegistrazioneTenuta};
use crate::store::valori::{Riga, intero};
use crate::store::{Inconsistency, StoreError};
use crate::trace::persona::Persona;

#[async_trait]
impl ArchivioInteressati for PostgresStore {
    async fn ultima_domanda(&self) -> Result<u64, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let row = sqlx::query("SELECT coalesce(max(numero), 0) AS numero FROM domande")
                .fetch_one(&mut *lettore)
                .await
                .map_err(guasto)?;
            let riga = Riga {
                table: "domande",
                row: &row,
            };
            Ok(riga.count("numero")?)
        })
        .await
    }

    async fn domande_con(
        &self,
        persona: &Persona,
        dopo: u64,
        fino_a: u64,
    ) -> Result<Vec<DomandaTenuta>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let righe = sqlx::query(
                "SELECT d.numero, d.servizio, d.ente
                 FROM domande d
                 WHERE d.numero > $1 AND d.numero <= $2
                   AND (d.richiedente = $3
                        OR d.genitore_tutelato = $3
                        OR EXISTS (SELECT 1 FROM schede s
                                   WHERE s.numero_domanda = d.numero
                                     AND (s.codice_fiscale = $3 OR s.altro_genitore = $3))
                        OR EXISTS (SELECT 1 FROM atti a
                                   JOIN registrazioni r ON r.id = a.registrazione
                                   WHERE a.numero_domanda = d.numero AND r.richiedente = $3))
                 ORDER BY d.numero",
            )
            .bind(intero(dopo))
            .bind(intero(fino_a))
            .bind(persona.as_str())
            .fetch_all(&mut *lettore)
            .await
            .map_err(guasto)?;
            Ok(righe.iter().map(domanda_from).collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn registrazioni_di(&self, numero: NumeroDomanda) -> Result<Vec<RegistrazioneTenuta>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let righe = sqlx::query(
                "SELECT r.id, r.protocollo, r.operazione, r.presentata_il, r.registrata_il, r.ente, r.canale, r.richiedente,
                        r.impronta, x.scartata_il,
                        EXISTS (SELECT 1 FROM annullamenti n WHERE n.registrazione = r.id AND n.campo IS NULL) AS annullata
                 FROM registrazioni r
                 LEFT JOIN scarti x ON x.registrazione = r.id
                 WHERE r.id IN (SELECT registrazione FROM domande WHERE numero = $1
                                UNION ALL
                                SELECT registrazione FROM atti WHERE numero_domanda = $1)
                 ORDER BY r.id",
            )
            .bind(intero(numero.0))
            .fetch_all(&mut *lettore)
            .await
            .map_err(guasto)?;
            Ok(righe.iter().map(registrazione_from).collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn documenti_di(
        &self,
        numero: NumeroDomanda,
        registrazione: i64,
    ) -> Result<Vec<DocumentoTenuto>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let righe = sqlx::query(
                "SELECT a.posto, a.tipo, a.nome_file, a.tipo_mime, a.impronta, a.bytes_len,
                        EXISTS (SELECT 1 FROM documenti d
                                WHERE d.numero_domanda = a.numero_domanda AND d.registrazione = a.registrazione
                                  AND d.posto = a.posto) AS tenuto
                 FROM allegati a
                 WHERE a.numero_domanda = $1 AND a.registrazione = $2
                 ORDER BY a.posto",
            )
            .bind(intero(numero.0))
            .bind(registrazione)
            .fetch_all(&mut *lettore)
            .await
            .map_err(guasto)?;
            let documento_from = |row| {
                let riga = Riga {
                    table: "allegati",
                    row,
                };
                Ok::<_, Inconsistency>(DocumentoTenuto {
                    posto: riga.parse("posto", |posto: i32| u32::try_from(posto))?,
                    allegato: allegato(row)?,
                    tenuto: riga.get("tenuto")?,
                })
            };
            Ok(righe.iter().map(documento_from).collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn byte_del_documento(
        &self,
        numero: NumeroDomanda,
        registrazione: i64,
        posto: u32,
    ) -> Result<Option<Bytes>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let row = sqlx::query(
                "SELECT a.bytes_len, d.codec, d.chiave_id, d.bytes
                 FROM documenti d
                 JOIN allegati a ON a.numero_domanda = d.numero_domanda AND a.registrazione = d.registrazione
                                      AND a.posto = d.posto
                 WHERE d.numero_domanda = $1 AND d.registrazione = $2 AND d.posto = $3",
            )
            .bind(intero(numero.0))
            .bind(registrazione)
            .bind(i64::from(posto))
            .fetch_optional(&mut *lettore)
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
        })
        .await
    }
}

fn domanda_from(row: &PgRow) -> Result<DomandaTenuta, Inconsistency> {
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

fn registrazione_from(row: &PgRow) -> Result<RegistrazioneTenuta, Inconsistency> {
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
        scartata_il: riga
            .get::<Option<Istante>>("scartata_il")?
            .map(|Istante(istante)| istante),
    })
}
