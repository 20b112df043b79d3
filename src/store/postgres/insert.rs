//! The rows of a batch: what each registration writes into each table, all of it in one statement.

use std::collections::HashSet;

use sqlx::postgres::PgConnection;

use super::row::{Istante, guasto};
use super::statement::Istruzione;
use super::tracce::columns_of_traccia;
use super::{documenti, egov};
use crate::domanda::{CodiceFiscale, Iban};
use crate::ricevuta::DIGEST_VERSIONE;
use crate::store::codec::Conservata;
use crate::store::effetti::{deleghe, mosse, variazioni};
use crate::store::registro::{Numeri, Nuova};
use crate::store::valori::{al_millesimo, intero, json, json_object, lunghezza};
use crate::store::{Inconsistency, StoreError};

/// Every row of these registrations, and the counters with what was drawn from them. `cursore` is the feed's last one.
pub(super) async fn write_all(
    connessione: &mut PgConnection,
    nuove: &[Nuova<'_>],
    numeri: &Numeri,
    cursore: &mut i64,
) -> Result<(), StoreError> {
    let tracce: Vec<_> = nuove
        .iter()
        .map(|nuova| Conservata::pack(&nuova.traccia))
        .collect();
    let mut istruzione = Istruzione::default();
    registrazioni(&mut istruzione, nuove);
    domande(&mut istruzione, nuove);
    schede(&mut istruzione, nuove);
    documenti::insert(&mut istruzione, nuove);
    documenti::insert_riesami(&mut istruzione, nuove);
    atti(&mut istruzione, nuove);
    correlate(&mut istruzione, nuove);
    open_sheets(&mut istruzione, nuove);
    feed(&mut istruzione, nuove, cursore);
    // A hang-up writes INTERROTTA while the act still waits; what was registered speaks last.
    istruzione.insert_or("tracce", &tracce, TRACCE_CHE_SOSTITUISCONO, columns_of_traccia);
    egov::insert_with_registrations(&mut istruzione, nuove);
    contatori(&mut istruzione, numeri, *cursore);
    istruzione.execute(connessione).await
}

/// The registration, its receipt, its request.
fn registrazioni(istruzione: &mut Istruzione, nuove: &[Nuova<'_>]) {
    istruzione.insert("registrazioni", nuove, |colonne| {
        colonne
            .col("id", |nuova| nuova.id)
            .text("registro", |nuova| nuova.registrata.protocollo.registro())
            .col("anno", |nuova| nuova.registrata.protocollo.anno())
            .col("numero", |nuova| intero(nuova.registrata.protocollo.numero()))
            .text("protocollo", |nuova| &nuova.protocollo)
            .col("registrata_il", |nuova| Istante(nuova.ricevuta.registrata_il))
            .col("presentata_il", |nuova| Istante(nuova.ricevuta.presentata_il))
            .text("oggetto", |nuova| &nuova.ricevuta.oggetto)
            .text("servizio", |nuova| nuova.atto.chiave.servizio)
            .text("operazione", |nuova| nuova.atto.operazione.nome())
            .text("ente", |nuova| nuova.ricevuta.ente.as_str())
            .text("ente_denominazione", |nuova| &nuova.ricevuta.ente_denominazione)
            .text("codice_ufficio", |nuova| nuova.ricevuta.codice_ufficio.as_str())
            .text("user_id", |nuova| nuova.ricevuta.user_id.as_str())
            .text("richiedente", |nuova| {
                nuova.ricevuta.richiedente.codice_fiscale.as_str()
            })
            .text("chiave_invio", |nuova| nuova.ricevuta.chiave.as_str())
            .told("data_pratica", "date", |nuova| {
                nuova.atto.contenuto.data_pratica().map(|data| data.to_string())
            })
            .col("numero_domanda", |nuova| {
                intero(nuova.registrata.numero_domanda.0)
            })
            .col("collegato_a", |nuova| nuova.collegato_a)
            .col("digest", |nuova| &nuova.registrata.digest.0[..])
            .col("digest_versione", |_| i16::from(DIGEST_VERSIONE))
            .col("impronta", |nuova| &nuova.ricevuta.impronta[..])
            .text("canale", |nuova| nuova.atto.canale)
            .col("message_id", |nuova| nuova.traccia.message_id)
            .text("certificato_sha256", |nuova| &nuova.atto.certificato_sha256)
            .col("ricevuta_sha256", |nuova| &nuova.ricevuta_sha256[..])
            .col("richiesta_sha256", |nuova| &nuova.richiesta.sha256[..]);
    });
    istruzione.insert("ricevute", nuove, |colonne| {
        colonne
            .col("numero_domanda", |nuova| {
                intero(nuova.registrata.numero_domanda.0)
            })
            .col("registrazione", |nuova| nuova.id)
            .col("anno", |nuova| nuova.registrata.protocollo.anno())
            .text("formato", |_| "XML")
            .col("bytes_len", |nuova| lunghezza(nuova.registrata.ricevuta.len()))
            .text("codec", |nuova| nuova.ricevuta_conservata.codec.as_str())
            .col("bytes", |nuova| &nuova.ricevuta_conservata.bytes[..]);
    });
    istruzione.insert("payload", nuove, |colonne| {
        colonne
            .col("numero_domanda", |nuova| {
                intero(nuova.registrata.numero_domanda.0)
            })
            .col("registrazione", |nuova| nuova.id)
            .col("anno", |nuova| nuova.registrata.protocollo.anno())
            .col("bytes_len", |nuova| lunghezza(nuova.atto.richiesta.len()))
            .col("domanda_da", |nuova| {
                lunghezza(nuova.atto.contenuto_in_richiesta.0)
            })
            .col("domanda_a", |nuova| {
                lunghezza(nuova.atto.contenuto_in_richiesta.1)
            })
            .text("codec", |nuova| nuova.richiesta.conservata.codec.as_str())
            .col("bytes", |nuova| &nuova.richiesta.conservata.bytes[..]);
    });
}

fn domande(istruzione: &mut Istruzione, nuove: &[Nuova<'_>]) {
    let domande: Vec<_> = nuove.iter().filter_map(Nuova::opening).collect();
    istruzione.insert("domande", &domande, |colonne| {
        colonne
            .col("numero", |(nuova, _)| intero(nuova.registrata.numero_domanda.0))
            .col("registrazione", |(nuova, _)| nuova.id)
            .col("anno", |(nuova, _)| nuova.registrata.protocollo.anno())
            .text("servizio", |(nuova, _)| nuova.atto.chiave.servizio)
            .text("ente", |(nuova, _)| nuova.atto.chiave.ente.as_str())
            .text("richiedente", |(_, fascicolo)| {
                fascicolo.richiedente.codice_fiscale.as_str()
            })
            .text("richiedente_nome", |(_, fascicolo)| &fascicolo.richiedente.nome)
            .text("richiedente_cognome", |(_, fascicolo)| {
                &fascicolo.richiedente.cognome
            })
            .text_option("richiedente_email", |(_, fascicolo)| {
                fascicolo.richiedente.email.as_deref()
            })
            .text_option("richiedente_cellulare", |(_, fascicolo)| {
                fascicolo.richiedente.cellulare.as_deref()
            })
            .text_option("richiedente_indirizzo", |(_, fascicolo)| {
                fascicolo.richiedente.indirizzo.as_deref()
            })
            .text("presentata_da", |(_, fascicolo)| fascicolo.presentata_da)
            .text_option("genitore_tutelato", |(_, fascicolo)| {
                fascicolo.genitore_tutelato.as_ref().map(CodiceFiscale::as_str)
            })
            .text("mandato_numero", |(_, fascicolo)| &fascicolo.mandato_numero)
            .told("mandato_data", "date", |(_, fascicolo)| {
                Some(fascicolo.mandato_data.to_string())
            })
            .text("modalita", |(_, fascicolo)| fascicolo.pagamento.modalita)
            .text_option("iban", |(_, fascicolo)| {
                fascicolo.pagamento.iban.as_ref().map(Iban::as_str)
            })
            .col("intestato_richiedente", |(_, fascicolo)| {
                fascicolo.pagamento.intestato_richiedente
            })
            .told("dichiarazioni", "jsonb", |(_, fascicolo)| {
                let rese = fascicolo.dichiarazioni.iter();
                let rese: Vec<_> = rese
                    .map(|resa| (resa.codice, resa.versione_testo, resa.scelta))
                    .collect();
                Some(json(&rese))
            })
            .told("dettagli", "jsonb", |(_, fascicolo)| {
                json_object(&fascicolo.dettagli)
            });
    });
}

/// The acts about domande that are there.
fn atti(istruzione: &mut Istruzione, nuove: &[Nuova<'_>]) {
    let atti: Vec<_> = nuove.iter().filter_map(Nuova::following).collect();
    istruzione.insert("atti", &atti, |colonne| {
        colonne
            .col("registrazione", |(nuova, _)| nuova.id)
            .col("anno", |(nuova, _)| nuova.registrata.protocollo.anno())
            .col("numero_domanda", |(_, seguito)| intero(seguito.numero_domanda.0))
            .text("operazione", |(nuova, _)| nuova.atto.operazione.nome())
            .text("mandato_numero", |(_, seguito)| &seguito.mandato_numero)
            .told("mandato_data", "date", |(_, seguito)| {
                Some(seguito.mandato_data.to_string())
            })
            .told("dettagli", "jsonb", |(_, seguito)| json_object(&seguito.dettagli));
    });
}

/// The lines of the emergency register.
fn correlate(istruzione: &mut Istruzione, nuove: &[Nuova<'_>]) {
    let correlate: Vec<_> = nuove.iter().filter_map(Nuova::in_emergenza).collect();
    istruzione.insert("emergenza_registrazioni", &correlate, |colonne| {
        colonne
            .text("registro", |(nuova, _)| nuova.registrata.protocollo.registro())
            .col("numero", |(_, correlata)| intero(correlata.numero))
            .col("emergenza", |(_, correlata)| correlata.emergenza)
            .col("istante", |(nuova, _)| Istante(nuova.ricevuta.presentata_il))
            .col("registrazione", |(nuova, _)| nuova.id);
    });
}

/// Sheets: several rows a registration.
fn schede(istruzione: &mut Istruzione, nuove: &[Nuova<'_>]) {
    let schede: Vec<_> = nuove.iter().flat_map(Nuova::schede).collect();
    istruzione.insert("schede", &schede, |colonne| {
        colonne
            .col("numero_domanda", |(nuova, _)| {
                intero(nuova.registrata.numero_domanda.0)
            })
            .col("posto", |(_, scheda)| posto(scheda.posto))
            .col("registrazione", |(nuova, _)| nuova.id)
            .text("servizio", |(nuova, _)| nuova.atto.chiave.servizio)
            .text("codice_fiscale", |(_, scheda)| scheda.codice_fiscale.as_str())
            .told("data_nascita", "date", |(_, scheda)| {
                scheda.data_nascita.map(|data| data.to_string())
            })
            .text("qualita", |(_, scheda)| scheda.qualita)
            .col("disabile", |(_, scheda)| scheda.disabile)
            .col("affido_condiviso", |(_, scheda)| scheda.affido_condiviso)
            .text_option("altro_genitore", |(_, scheda)| {
                scheda.altro_genitore.as_ref().map(CodiceFiscale::as_str)
            })
            .text_option("altro_genitore_assente", |(_, scheda)| {
                scheda.altro_genitore_assente
            })
            .text("ripartizione", |(_, scheda)| scheda.ripartizione)
            .told("decorrenza_presunta", "text", |(_, scheda)| {
                scheda.decorrenza_presunta.map(|mese| mese.to_string())
            })
            .text_option("altro_genitore_modalita", |(_, scheda)| {
                scheda
                    .pagamento_altro_genitore
                    .as_ref()
                    .map(|altra| altra.modalita)
            })
            .text_option("altro_genitore_iban", |(_, scheda)| {
                let altra = scheda.pagamento_altro_genitore.as_ref();
                altra.and_then(|altra| altra.iban.as_ref()).map(Iban::as_str)
            })
            .col("subentra", |(_, scheda)| scheda.subentra)
            .told("dettagli", "jsonb", |(_, scheda)| json_object(&scheda.dettagli))
            .text("stato", |_| "PRESENTATA")
            .col("stato_dal", |(nuova, _)| Istante(nuova.ricevuta.registrata_il))
            .text("azione_richiesta", |_| "NESSUNA");
    });
}

/// The sheets that another ente sees from then on; one that sees it already stays as it was.
fn open_sheets(istruzione: &mut Istruzione, nuove: &[Nuova<'_>]) {
    istruzione.insert_or("deleghe", &deleghe(nuove), " ON CONFLICT DO NOTHING", |colonne| {
        colonne
            .text("ente", |delega| delega.nuova.atto.chiave.ente.as_str())
            .text("servizio", |delega| delega.nuova.atto.chiave.servizio)
            .col("numero_domanda", |delega| {
                intero(delega.nuova.registrata.numero_domanda.0)
            })
            .col("posto", |delega| posto(delega.posto))
            .col("registrazione", |delega| delega.nuova.id)
            .col("anno", |delega| delega.nuova.registrata.protocollo.anno())
            .col("dal", |delega| Istante(delega.nuova.ricevuta.registrata_il));
    });
}

/// The feed, each row with the next cursor.
fn feed(istruzione: &mut Istruzione, nuove: &[Nuova<'_>], cursore: &mut i64) {
    let numerate: Vec<_> = variazioni(nuove)
        .into_iter()
        .map(|riga| {
            *cursore += 1;
            (*cursore, riga)
        })
        .collect();
    istruzione.insert("variazioni", &numerate, |colonne| {
        colonne
            .col("cursore", |(cursore, _)| *cursore)
            .col("istante", |(_, riga)| Istante(riga.nuova.ricevuta.registrata_il))
            .text("tipo", |(_, riga)| riga.tipo)
            .text("ente", |(_, riga)| riga.ente().as_str())
            .text("servizio", |(_, riga)| riga.nuova.atto.chiave.servizio)
            .col("numero_domanda", |(_, riga)| {
                intero(riga.nuova.registrata.numero_domanda.0)
            })
            .col("posto", |(_, riga)| riga.posto.map(posto))
            .col("registrazione", |(_, riga)| riga.nuova.id)
            // A sheet's row tells the change; the registration's own row tells its instants.
            .col("presentata_il", |(_, riga)| {
                let presentata_il = al_millesimo(riga.nuova.ricevuta.presentata_il);
                riga.posto.is_none().then_some(Istante(presentata_il))
            })
            .col("registrata_il", |(_, riga)| {
                let registrata_il = riga.nuova.ricevuta.registrata_il;
                riga.posto.is_none().then_some(Istante(registrata_il))
            })
            .text_option("stato", |(_, riga)| riga.stato)
            .text_option("azione_richiesta", |(_, riga)| riga.azione);
    });
}

pub(super) fn posto(posto: u32) -> i32 {
    i32::try_from(posto).unwrap_or(i32::MAX)
}

/// Sheets that acts move, and the claims of the children that they free and another domanda of the batch takes. Before all
/// else is written.
pub(super) async fn move_sheets(
    connessione: &mut PgConnection,
    nuove: &[Nuova<'_>],
) -> Result<(), StoreError> {
    let mosse = mosse(nuove);
    if mosse.is_empty() {
        return Ok(());
    }
    let numeri = mosse
        .iter()
        .map(|mossa| intero(mossa.nuova.registrata.numero_domanda.0));
    let posti = mosse.iter().map(|mossa| posto(mossa.posto));
    let istanti = mosse
        .iter()
        .map(|mossa| Istante(mossa.nuova.ricevuta.registrata_il));
    let esito = sqlx::query(
        "UPDATE schede s
         SET stato = u.stato,
             stato_dal = CASE WHEN s.stato = u.stato THEN s.stato_dal ELSE u.stato_dal END,
             azione_richiesta = u.azione
         FROM UNNEST($1, $2, $3, $4, $5) AS u (numero_domanda, posto, stato, stato_dal, azione)
         WHERE s.numero_domanda = u.numero_domanda AND s.posto = u.posto",
    )
    .bind(numeri.collect::<Vec<_>>())
    .bind(posti.collect::<Vec<_>>())
    .bind(mosse.iter().map(|mossa| mossa.stato).collect::<Vec<_>>())
    .bind(istanti.collect::<Vec<_>>())
    .bind(mosse.iter().map(|mossa| mossa.azione).collect::<Vec<_>>())
    .execute(&mut *connessione)
    .await
    .map_err(guasto)?;
    if esito.rows_affected() != lunghezza(mosse.len()).unsigned_abs() {
        return Err(Inconsistency::new("schede", "posto", "an act moves a sheet that is not there").into());
    }
    let liberati: HashSet<(&str, &CodiceFiscale)> = nuove
        .iter()
        .filter_map(Nuova::following)
        .flat_map(|(nuova, seguito)| {
            seguito
                .liberati()
                .map(|minore| (nuova.atto.chiave.servizio, minore))
        })
        .collect();
    for (nuova, scheda) in nuove.iter().flat_map(Nuova::schede) {
        let servizio = nuova.atto.chiave.servizio;
        if liberati.contains(&(servizio, &scheda.codice_fiscale)) {
            sqlx::query(
                "INSERT INTO schede_vive (servizio, codice_fiscale, registrazione) VALUES ($1, $2, $3)",
            )
            .bind(servizio)
            .bind(scheda.codice_fiscale.as_str())
            .bind(nuova.id)
            .execute(&mut *connessione)
            .await
            .map_err(guasto)?;
        }
    }
    Ok(())
}

/// Sheets of children who ask for themselves close the live ones that others asked for.
pub(super) async fn take_places(
    connessione: &mut PgConnection,
    nuove: &[Nuova<'_>],
) -> Result<(), StoreError> {
    for (nuova, fascicolo) in nuove.iter().filter_map(Nuova::opening) {
        for scheda in fascicolo.schede.iter().filter(|scheda| scheda.subentra) {
            sqlx::query("SELECT varco_subentra($1, $2)")
                .bind(intero(nuova.registrata.numero_domanda.0))
                .bind(i32::try_from(scheda.posto).unwrap_or(i32::MAX))
                .execute(&mut *connessione)
                .await
                .map_err(guasto)?;
        }
    }
    Ok(())
}

/// The counters, as they stand after the draw.
fn contatori(istruzione: &mut Istruzione, numeri: &Numeri, cursore: i64) {
    let registri = numeri.registri();
    istruzione.update("registro", &registri, |colonne| {
        colonne
            .text("registro", |(registro, _)| registro)
            .col("anno", |(_, contatore)| contatore.anno)
            .col("ultimo", |(_, contatore)| intero(contatore.ultimo))
            .col("ultimo_istante", |(_, contatore)| Istante(contatore.istante));
    });
    let contatori = [
        ("domanda", intero(numeri.ultima_domanda())),
        ("variazione", cursore),
    ];
    istruzione.update("contatori", &contatori, |colonne| {
        colonne
            .text("nome", |(nome, _)| nome)
            .col("ultimo", |(_, ultimo)| *ultimo);
    });
}

/// A trace that takes the place of the one that is there.
const TRACCE_CHE_SOSTITUISCONO: &str = " ON CONFLICT (message_id, ricevuto_il) DO UPDATE SET \
    canale = excluded.canale, indirizzo = excluded.indirizzo, certificato_soggetto = excluded.certificato_soggetto, \
    certificato_seriale = excluded.certificato_seriale, tls = excluded.tls, ente = excluded.ente, \
    user_id = excluded.user_id, codice_ufficio = excluded.codice_ufficio, identity_forma = excluded.identity_forma, \
    uri = excluded.uri, servizio = excluded.servizio, operazione = excluded.operazione, \
    id_mittente = excluded.id_mittente, id_transazione = excluded.id_transazione, \
    chiave_invio = excluded.chiave_invio, digest = excluded.digest, impronta = excluded.impronta, \
    richiesta_len = excluded.richiesta_len, risposta_len = excluded.risposta_len, \
    http_status = excluded.http_status, esito = excluded.esito, codice = excluded.codice, codici = excluded.codici, \
    protocollo = excluded.protocollo, numero_domanda = excluded.numero_domanda, tempi_us = excluded.tempi_us, \
    note = excluded.note, chiave_id = excluded.chiave_id, richiesta_codec = excluded.richiesta_codec, \
    richiesta_bytes_len = excluded.richiesta_bytes_len, richiesta = excluded.richiesta, \
    risposta_codec = excluded.risposta_codec, risposta_bytes_len = excluded.risposta_bytes_len, \
    risposta = excluded.risposta";
