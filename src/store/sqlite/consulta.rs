//! What an ente is told of its domande: for all who ask at once one statement, on a connection of its own. That one finds
//! more of the file in its cache than any of several would.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Executor};
use tokio::sync::Mutex;

use super::open;
use super::row::guasto;
use crate::domanda::consultazione::{Consultazione, Riferimento};
use crate::patronato::CodiceEnte;
use crate::protocollo::NumeroDomanda;
use crate::store::StoreError;
use crate::store::consulta::consultazione;
use crate::store::sportello::{DOMANDE_MAX, Sportello, Viaggio};
use crate::store::valori::{Riga, intero};

/// A domanda of an ente's own, by any of its names.
pub(super) async fn consulta(
    consulte: &Sportello<Consulte>,
    ente: &CodiceEnte,
    servizio: &'static str,
    riferimento: &Riferimento,
) -> Result<Option<Consultazione>, StoreError> {
    let chiesta = Chiesta {
        ente: ente.clone(),
        servizio,
        riferimento: riferimento.clone(),
    };
    consulte.ask(&Arc::new(chiesta)).await?
}

/// Who asks, and about which domanda.
#[derive(Debug)]
pub(super) struct Chiesta {
    ente: CodiceEnte,
    servizio: &'static str,
    riferimento: Riferimento,
}

/// The connection that asks.
#[derive(Debug)]
pub(super) struct Consulte {
    path: PathBuf,
    options: SqliteConnectOptions,
    /// `None` before the first question, after a failure, and while somebody holds it.
    lettore: Mutex<Option<SqliteConnection>>,
}

impl Consulte {
    /// A connection that is opened with the first question.
    pub(super) fn new(path: &Path, options: &SqliteConnectOptions) -> Self {
        Self {
            path: path.to_owned(),
            options: options.clone(),
            lettore: Mutex::default(),
        }
    }

    /// Closes it; a question opens another.
    pub(super) async fn close(&self) {
        if let Some(lettore) = self.lettore.lock().await.take() {
            super::close(lettore).await;
        }
    }

    async fn open(&self) -> Result<SqliteConnection, StoreError> {
        let mut lettore = open::connect(&self.options, &self.path).await?;
        lettore.execute("PRAGMA query_only = ON").await.map_err(guasto)?;
        Ok(lettore)
    }
}

impl Viaggio for Consulte {
    type Domanda = Arc<Chiesta>;
    type Risposta = Result<Option<Consultazione>, StoreError>;

    async fn go(&self, chieste: &[Arc<Chiesta>]) -> Result<Vec<Self::Risposta>, StoreError> {
        let mut lettore = self.lettore.lock().await;
        // Taken out: whoever goes away in the middle of it closes it.
        let mut connessione = match lettore.take() {
            Some(connessione) => connessione,
            None => self.open().await?,
        };
        let righe = fetch(&mut connessione, chieste).await?;
        *lettore = Some(connessione);
        drop(lettore);

        let mut risposte: Vec<Self::Risposta> = chieste.iter().map(|_| Ok(None)).collect();
        for row in &righe {
            let riga = Riga {
                table: "registrazioni",
                row,
            };
            let posto: u32 = riga.get("posto")?;
            if let Some(risposta) = risposte.get_mut(posto as usize) {
                *risposta = told(&riga).map(Some);
            }
        }
        Ok(risposte)
    }
}

async fn fetch(
    lettore: &mut SqliteConnection,
    chieste: &[Arc<Chiesta>],
) -> Result<Vec<SqliteRow>, StoreError> {
    let quante = chieste.len().next_power_of_two();
    let testo = Arc::clone(&TESTI[quante.ilog2() as usize]);
    let mut query = sqlx::query(AssertSqlSafe(testo));
    for chiesta in chieste {
        query = match &chiesta.riferimento {
            Riferimento::Protocollo(protocollo) => query.bind("PROTOCOLLO").bind(protocollo.to_string()),
            Riferimento::NumeroDomanda(NumeroDomanda(numero)) => query.bind("NUMERO").bind(intero(*numero)),
            Riferimento::ChiaveInvio(chiave) => query.bind("CHIAVE").bind(chiave.as_str()),
            Riferimento::Impronta(impronta) => query.bind("IMPRONTA").bind(impronta.as_slice()),
        };
        query = query.bind(chiesta.ente.as_str()).bind(chiesta.servizio);
    }
    // The places that are left are bound to nothing, and find nothing.
    query.fetch_all(lettore).await.map_err(guasto)
}

/// The statement for 1, 2, 4 … questions.
static TESTI: LazyLock<Vec<Arc<str>>> = LazyLock::new(|| {
    (0..=DOMANDE_MAX.ilog2())
        .map(|potenza| {
            let chieste: Vec<_> = (0..1 << potenza)
                .map(|posto| format!("({posto}, ?, ?, ?, ?)"))
                .collect();
            format!(
                "WITH chieste (posto, come, nome, ente, servizio) AS (VALUES {}) {CONSULTA}",
                chieste.join(",")
            )
            .into()
        })
        .collect()
});

// CROSS JOIN holds SQLite to this order: from the name to the registration `n` that has it, to its domanda, to the
// registration `r` that opened that.
const CONSULTA: &str = "
SELECT c.posto, r.protocollo, r.chiave_invio, r.presentata_il, r.registrata_il, r.codice_ufficio, r.impronta,
       d.numero AS numero_domanda,
       EXISTS (SELECT 1 FROM annullamenti a WHERE a.registrazione = r.id AND a.campo IS NULL) AS annullata,
       (SELECT json_group_array(json_array(s.posto, s.codice_fiscale, s.stato, s.stato_dal, s.azione_richiesta,
                   s.decorrenza_presunta, s.ripartizione, s.azione_motivo, json_array(NULL, NULL, NULL),
                   (SELECT i.stato FROM riesami i
                    WHERE i.numero_domanda = s.numero_domanda AND i.posto = s.posto
                    ORDER BY i.registrazione DESC LIMIT 1)))
        FROM schede s
        WHERE s.numero_domanda = d.numero) AS schede,
       (SELECT json_group_array(json_array(p.posto, p.mese, p.beneficiario, p.tipo, p.importo_cent, p.istante,
                   p.motivo) ORDER BY p.decisione)
        FROM pagamenti p
        WHERE p.numero_domanda = d.numero) AS pagamenti,
       (SELECT json_group_array(json_array(t.protocollo, t.operazione, t.presentata_il, t.registrata_il,
                   EXISTS (SELECT 1 FROM annullamenti a WHERE a.registrazione = t.id AND a.campo IS NULL))
                   ORDER BY i.registrazione)
        FROM atti i
        JOIN registrazioni t ON t.id = i.registrazione
        WHERE i.numero_domanda = d.numero) AS atti
FROM chieste c
CROSS JOIN registrazioni n ON n.ente = c.ente AND n.servizio = c.servizio AND n.id = CASE c.come
    WHEN 'PROTOCOLLO' THEN (SELECT id FROM registrazioni WHERE protocollo = c.nome)
    WHEN 'NUMERO' THEN (SELECT registrazione FROM domande WHERE numero = c.nome)
    WHEN 'CHIAVE' THEN (SELECT id FROM registrazioni
                        WHERE chiave_invio = c.nome AND ente = c.ente AND servizio = c.servizio)
    WHEN 'IMPRONTA' THEN (SELECT max(i.id)
                          FROM registrazioni i
                          JOIN domande o ON o.numero = i.numero_domanda AND o.ente = i.ente
                          WHERE i.impronta = c.nome AND i.ente = c.ente AND i.servizio = c.servizio)
    END
CROSS JOIN domande d ON d.numero = n.numero_domanda AND d.ente = n.ente
CROSS JOIN registrazioni r ON r.id = d.registrazione";

fn told(riga: &Riga<'_, SqliteRow>) -> Result<Consultazione, StoreError> {
    let istanti = [riga.istante("presentata_il")?, riga.istante("registrata_il")?];
    Ok(consultazione(riga.row, istanti)?)
}
