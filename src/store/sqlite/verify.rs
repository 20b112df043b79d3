//! Looking over the register: the short look before numbers are drawn again; the long one for `varco register verify`,
//! page by page, so that no reader stays.

use sqlx::sqlite::SqliteConnection;

use super::lacune;
use super::row::guasto;
use crate::store::lacune::Lacune;
use crate::store::valori::Riga;
use crate::store::verifica::{Cammino, PAGINA, Passo, Stato, agree};
use crate::store::{StoreError, Verifica};

/// The short look: counter, maximum and count agree for the current year of each register. A register that does not
/// is not written to.
pub(super) async fn look_over(connessione: &mut SqliteConnection) -> Result<(), StoreError> {
    let righe = sqlx::query(
        "SELECT
             c.registro,
             c.anno,
             c.ultimo,
             coalesce(max(r.numero), 0) AS massimo,
             count(r.numero) AS quante
         FROM registro c
         LEFT JOIN registrazioni r ON r.registro = c.registro AND r.anno = c.anno
         GROUP BY c.registro",
    )
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
            1,
        )?;
    }
    Ok(())
}

/// The long look: every registration once.
pub(super) async fn verify(connessione: &mut SqliteConnection) -> Result<Verifica, StoreError> {
    let mut verifica = Verifica::default();
    for stato in counters(connessione, &mut verifica).await? {
        walk(connessione, &stato, &mut verifica).await?;
    }
    Ok(verifica.finish())
}

/// The counters, compared in one statement with what they count.
async fn counters(
    connessione: &mut SqliteConnection,
    verifica: &mut Verifica,
) -> Result<Vec<Stato>, StoreError> {
    let righe = sqlx::query(
        "SELECT
             c.registro,
             c.anno,
             c.ultimo,
             c.ultimo_istante,
             (SELECT max(anno) FROM registrazioni r WHERE r.registro = c.registro) AS anno_massimo,
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
            ultimo_istante: riga.get("ultimo_istante")?,
            anno_massimo: riga.get("anno_massimo")?,
            massimo: riga.get("massimo")?,
            istante: riga.get("istante")?,
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
    connessione: &mut SqliteConnection,
    stato: &Stato,
    verifica: &mut Verifica,
) -> Result<(), StoreError> {
    let mut cammino = Cammino::new(stato, verifica);
    loop {
        let (anno, numero) = cammino.ultimo();
        let righe = sqlx::query(
            "SELECT
                 r.anno,
                 r.numero,
                 r.protocollo,
                 r.registrata_il,
                 EXISTS (SELECT 1 FROM ricevute v WHERE v.registrazione = r.id) AS ricevuta,
                 EXISTS (SELECT 1 FROM domande d WHERE d.numero = r.numero_domanda) AS domanda
             FROM registrazioni r
             WHERE r.registro = ? AND (r.anno, r.numero) > (?, ?)
             ORDER BY r.anno, r.numero
             LIMIT ?",
        )
        .bind(&stato.registro)
        .bind(anno)
        .bind(numero)
        .bind(PAGINA)
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
                istante: riga.get("registrata_il")?,
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
