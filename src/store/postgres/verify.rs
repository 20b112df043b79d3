//! Looking over the register: the short look before numbers are drawn again; the long one for `varco register verify`,
//! page by page, so that no snapshot stays.

use sqlx::postgres::PgConnection;

use super::lacune;
use super::row::{Istante, guasto};
use crate::store::lacune::Lacune;
use crate::store::valori::Riga;
use crate::store::verifica::{Cammino, PAGINA, Passo, Stato, agree};
use crate::store::{StoreError, Verifica};

/// The short look: counter, maximum and the last numbers agree, for the current year of each register. A register that
/// does not is not written to. The counter and its rows are of one snapshot: other gateways go on meanwhile.
pub(super) async fn look_over(connessione: &mut PgConnection) -> Result<(), StoreError> {
    let righe = sqlx::query(
        "SELECT
             c.registro,
             c.anno::bigint AS anno,
             c.ultimo,
             greatest(c.ultimo - $1, 0) + 1 AS da,
             (SELECT coalesce(max(r.numero), 0) FROM registrazioni r
              WHERE r.registro = c.registro AND r.anno = c.anno) AS massimo,
             (SELECT count(*) FROM registrazioni r
              WHERE r.registro = c.registro AND r.anno = c.anno AND r.numero > c.ultimo - $1) AS quante
         FROM registro c",
    )
    .bind(ULTIMI)
    .fetch_all(&mut *connessione)
    .await
    .map_err(guasto)?;
    let lacune = Lacune(lacune::read(connessione).await?);
    for row in &righe {
        let riga = Riga {
            table: "registro",
            row,
        };
        agree(
            &lacune,
            &riga.get::<String>("registro")?,
            riga.get("anno")?,
            riga.count("ultimo")?,
            (riga.count("massimo")?, riga.count("quante")?),
            riga.count("da")?,
        )?;
    }
    Ok(())
}

/// So many numbers back the short look goes: what can have been lost, was lost at the end.
const ULTIMI: i64 = 50_000;

/// The long look: every registration once.
pub(super) async fn verify(connessione: &mut PgConnection) -> Result<Verifica, StoreError> {
    let mut verifica = Verifica::default();
    for stato in counters(connessione, &mut verifica).await? {
        walk(connessione, &stato, &mut verifica).await?;
    }
    Ok(verifica.finish())
}

/// The counters, compared in one statement with what they count.
async fn counters(connessione: &mut PgConnection, verifica: &mut Verifica) -> Result<Vec<Stato>, StoreError> {
    let righe = sqlx::query(
        "SELECT
             c.registro,
             c.anno::bigint AS anno,
             c.ultimo,
             c.ultimo_istante,
             (SELECT max(anno)::bigint FROM registrazioni r WHERE r.registro = c.registro) AS anno_massimo,
             (SELECT max(numero) FROM registrazioni r WHERE r.registro = c.registro AND r.anno = c.anno) AS massimo,
             (SELECT r.registrata_il FROM registrazioni r WHERE r.registro = c.registro
              ORDER BY r.anno DESC, r.numero DESC LIMIT 1) AS istante
         FROM registro c
         ORDER BY c.registro",
    )
    .fetch_all(&mut *connessione)
    .await
    .map_err(guasto)?;
    let lacune = Lacune(lacune::read(&mut *connessione).await?);
    let mut stati = Vec::with_capacity(righe.len());
    for row in &righe {
        let riga = Riga {
            table: "registro",
            row,
        };
        let registro: String = riga.get("registro")?;
        let stato = Stato {
            lacune: lacune.di(&registro),
            registro,
            anno: riga.get("anno")?,
            ultimo: riga.count("ultimo")?,
            ultimo_istante: riga.istante("ultimo_istante")?.as_millisecond(),
            anno_massimo: riga.get("anno_massimo")?,
            massimo: riga.get("massimo")?,
            istante: riga
                .get::<Option<Istante>>("istante")?
                .map(|istante| istante.0.as_millisecond()),
        };
        verifica.compare(&stato);
        stati.push(stato);
    }

    let row = sqlx::query(
        "SELECT
             (SELECT ultimo FROM contatori WHERE nome = 'domanda') AS ultimo,
             (SELECT coalesce(max(numero), 0) FROM domande) AS massimo,
             (SELECT count(*) FROM domande) AS quante",
    )
    .fetch_one(connessione)
    .await
    .map_err(guasto)?;
    let riga = Riga {
        table: "contatori",
        row: &row,
    };
    verifica.compare_domande(
        riga.count("ultimo")?,
        riga.count("massimo")?,
        riga.count("quante")?,
        lacune.domande(),
    );
    Ok(stati)
}

/// One register from its first number to where its counter stood.
async fn walk(
    connessione: &mut PgConnection,
    stato: &Stato,
    verifica: &mut Verifica,
) -> Result<(), StoreError> {
    let mut cammino = Cammino::new(stato, verifica);
    loop {
        let (anno, numero) = cammino.ultimo();
        let righe = sqlx::query(
            "SELECT
                 r.anno::bigint AS anno,
                 r.numero,
                 r.protocollo,
                 r.registrata_il,
                 EXISTS (SELECT 1 FROM ricevute v WHERE v.numero_domanda = r.numero_domanda
                         AND v.registrazione = r.id AND v.anno = r.anno) AS ricevuta,
                 EXISTS (SELECT 1 FROM domande d WHERE d.numero = r.numero_domanda) AS domanda
             FROM registrazioni r
             WHERE r.registro = $1 AND (r.anno, r.numero) > ($2, $3)
             ORDER BY r.anno, r.numero
             LIMIT $4",
        )
        .bind(&stato.registro)
        .bind(anno)
        .bind(numero)
        .bind(i64::from(PAGINA))
        .fetch_all(&mut *connessione)
        .await
        .map_err(guasto)?;
        for row in &righe {
            let riga = Riga {
                table: "registrazioni",
                row,
            };
            let passo = Passo {
                anno: riga.get("anno")?,
                numero: riga.count("numero")?,
                protocollo: riga.get("protocollo")?,
                istante: riga.istante("registrata_il")?.as_millisecond(),
                ricevuta: riga.get("ricevuta")?,
                domanda: riga.get("domanda")?,
            };
            if !cammino.pass(&passo) {
                return Ok(());
            }
        }
        if righe.len() < PAGINA as usize {
            return Ok(());
        }
    }
}
