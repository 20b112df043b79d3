//! The rows of a batch: what one registration writes into each table, many registrations a statement.

use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;

use super::batch::{Inserimento, Tabella, Valori, parti};
use super::documenti::{insert_documenti, insert_riesami, settle_sheets};
use super::egov;
use super::modifiche::change_values;
use super::query::VIVI;
use super::row::guasto;
use super::tracce::{TRACCE_CHE_SOSTITUISCONO, bind_traccia};
use crate::domanda::atto::Seguito;
use crate::domanda::{CodiceFiscale, Fascicolo, Iban, Scheda};
use crate::store::codec::Conservata;
use crate::store::effetti::{Delega, Variazione, deleghe, mosse, variazioni};
use crate::store::registro::{Correlata, Numeri, Nuova};
use crate::store::valori::{intero, json, json_object};
use crate::store::{Inconsistency, StoreError};

/// Every table's rows. The tables with one row a registration go in together, one trip for many registrations, the first
/// with the counters; then the sheets, of which a registration has several, and what is rare, a table a trip. (All in one
/// trip would make as many texts as there are pairs of so many registrations and so many sheets, each to be prepared.)
pub(super) async fn insert_all(
    connessione: &mut SqliteConnection,
    numeri: &Numeri,
    nuove: &[Nuova<'_>],
) -> Result<(), StoreError> {
    move_sheets(connessione, nuove).await?;
    change_values(connessione, nuove).await?;
    settle_sheets(connessione, nuove).await?;
    let mut primo = Some(numeri);
    for parte in parti(nuove) {
        // A hang-up writes INTERROTTA while the act still waits; what was registered speaks last.
        let tracce: Vec<_> = parte
            .iter()
            .map(|nuova| Conservata::pack(&nuova.traccia))
            .collect();
        let mut inserimento = Inserimento::default();
        if let Some(numeri) = primo.take() {
            insert_counters(&mut inserimento, numeri);
        }
        inserimento.rows(REGISTRAZIONI, parte, bind_registrazione);
        inserimento.rows(RICEVUTE, parte, bind_ricevuta);
        inserimento.rows(PAYLOAD, parte, bind_payload);
        let domande: Vec<_> = parte.iter().filter_map(Nuova::opening).collect();
        inserimento.rows(DOMANDE, &domande, bind_domanda);
        let atti: Vec<_> = parte.iter().filter_map(Nuova::following).collect();
        inserimento.rows(ATTI, &atti, bind_atto);
        let correlate: Vec<_> = parte.iter().filter_map(Nuova::in_emergenza).collect();
        inserimento.rows(CORRELATE, &correlate, bind_correlata);
        // Before the feed, which tells whoever sees the sheet.
        inserimento.rows(DELEGHE, &deleghe(parte), bind_delega);
        inserimento.rows(VARIAZIONI, &variazioni(parte), bind_variazione);
        inserimento.rows(TRACCE_CHE_SOSTITUISCONO, &tracce, bind_traccia);
        egov::insert_with_registrations(&mut inserimento, parte);
        inserimento.execute(connessione).await?;
    }
    insert_schede(connessione, nuove).await?;
    insert_documenti(connessione, nuove).await?;
    insert_riesami(connessione, nuove).await
}

/// Writes the counters back.
fn insert_counters(inserimento: &mut Inserimento, numeri: &Numeri) {
    inserimento.rows(REGISTRO, &numeri.registri(), |valori, (registro, contatore)| {
        valori
            .text(registro)
            .push(contatore.anno)
            .push(intero(contatore.ultimo))
            .push(contatore.istante.as_millisecond());
    });
    inserimento.rows(CONTATORI, &[numeri.ultima_domanda()], |valori, ultima| {
        valori.push(intero(*ultima));
    });
}

const REGISTRO: Tabella = Tabella {
    testa: "INSERT INTO registro (registro, anno, ultimo, ultimo_istante)",
    riga: "(?,?,?,?)",
    coda: " ON CONFLICT (registro) DO UPDATE SET
        anno = excluded.anno,
        ultimo = excluded.ultimo,
        ultimo_istante = excluded.ultimo_istante",
};

const CONTATORI: Tabella = Tabella {
    testa: "INSERT INTO contatori (nome, ultimo)",
    riga: "('domanda',?)",
    coda: " ON CONFLICT (nome) DO UPDATE SET ultimo = excluded.ultimo",
};

const REGISTRAZIONI: Tabella = Tabella {
    testa: "INSERT INTO registrazioni (id, registro, anno, numero, protocollo, registrata_il, presentata_il, oggetto, \
            servizio, operazione, ente, ente_denominazione, codice_ufficio, user_id, richiedente, destinatario, \
            chiave_invio, data_pratica, numero_domanda, collegato_a, digest, digest_versione, impronta, impronta_algoritmo, \
            canale, message_id, certificato_sha256, ricevuta_sha256, richiesta_sha256)",
    riga: "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,'INPS',?,?,?,?,?,?,?,'SHA-256',?,?,?,?,?)",
    coda: "",
};

fn bind_registrazione(valori: &mut Valori, nuova: &Nuova<'_>) {
    let (atto, ricevuta, registrata) = (nuova.atto, &nuova.ricevuta, &nuova.registrata);
    valori
        .push(nuova.id)
        .text(registrata.protocollo.registro())
        .push(registrata.protocollo.anno())
        .push(intero(registrata.protocollo.numero()))
        .text(&nuova.protocollo)
        .push(ricevuta.registrata_il.as_millisecond())
        .push(ricevuta.presentata_il.as_millisecond())
        .text(&ricevuta.oggetto)
        .text(atto.chiave.servizio)
        .text(atto.operazione.nome())
        .text(ricevuta.ente.as_str())
        .text(&ricevuta.ente_denominazione)
        .text(ricevuta.codice_ufficio.as_str())
        .text(ricevuta.user_id.as_str())
        .text(ricevuta.richiedente.codice_fiscale.as_str())
        .text(ricevuta.chiave.as_str())
        .told_option(atto.contenuto.data_pratica())
        .push(intero(registrata.numero_domanda.0))
        .push(nuova.collegato_a)
        .bytes(&registrata.digest.0)
        .push(registrata.digest_versione)
        .bytes(&ricevuta.impronta)
        .text(atto.canale)
        .told(nuova.traccia.message_id)
        .text(&atto.certificato_sha256)
        .bytes(&nuova.ricevuta_sha256)
        .bytes(&nuova.richiesta.sha256);
}

const CORRELATE: Tabella = Tabella {
    testa: "INSERT INTO emergenza_registrazioni (registro, numero, emergenza, istante, registrazione)",
    riga: "(?,?,?,?,?)",
    coda: "",
};

fn bind_correlata(valori: &mut Valori, (nuova, correlata): &(&Nuova<'_>, Correlata)) {
    valori
        .text(nuova.registrata.protocollo.registro())
        .push(intero(correlata.numero))
        .push(correlata.emergenza)
        .push(nuova.ricevuta.presentata_il.as_millisecond())
        .push(nuova.id);
}

const RICEVUTE: Tabella = Tabella {
    testa: "INSERT INTO ricevute (registrazione, formato, bytes_len, codec, bytes)",
    riga: "(?,'XML',?,?,?)",
    coda: "",
};

fn bind_ricevuta(valori: &mut Valori, nuova: &Nuova<'_>) {
    valori
        .push(nuova.id)
        .len(nuova.registrata.ricevuta.len())
        .text(nuova.ricevuta_conservata.codec.as_str())
        .bytes(&nuova.ricevuta_conservata.bytes);
}

const PAYLOAD: Tabella = Tabella {
    testa: "INSERT INTO payload (registrazione, bytes_len, domanda_da, domanda_a, codec, bytes)",
    riga: "(?,?,?,?,?,?)",
    coda: "",
};

fn bind_payload(valori: &mut Valori, nuova: &Nuova<'_>) {
    let (da, a) = nuova.atto.contenuto_in_richiesta;
    valori
        .push(nuova.id)
        .len(nuova.atto.richiesta.len())
        .len(da)
        .len(a)
        .text(nuova.richiesta.conservata.codec.as_str())
        .bytes(&nuova.richiesta.conservata.bytes);
}

const DOMANDE: Tabella = Tabella {
    testa: "INSERT INTO domande (numero, registrazione, servizio, ente, richiedente, richiedente_nome, \
            richiedente_cognome, richiedente_email, richiedente_cellulare, richiedente_indirizzo, presentata_da, \
            genitore_tutelato, mandato_numero, mandato_data, modalita, iban, intestato_richiedente, dichiarazioni, \
            dettagli)",
    riga: "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    coda: "",
};

fn bind_domanda(valori: &mut Valori, (nuova, fascicolo): &(&Nuova<'_>, &Fascicolo)) {
    let richiedente = &fascicolo.richiedente;
    let dichiarazioni: Vec<_> = fascicolo
        .dichiarazioni
        .iter()
        .map(|resa| (resa.codice, resa.versione_testo, resa.scelta))
        .collect();
    valori
        .push(intero(nuova.registrata.numero_domanda.0))
        .push(nuova.id)
        .text(nuova.atto.chiave.servizio)
        .text(nuova.atto.chiave.ente.as_str())
        .text(richiedente.codice_fiscale.as_str())
        .text(&richiedente.nome)
        .text(&richiedente.cognome)
        .text_option(richiedente.email.as_deref())
        .text_option(richiedente.cellulare.as_deref())
        .text_option(richiedente.indirizzo.as_deref())
        .text(fascicolo.presentata_da)
        .text_option(fascicolo.genitore_tutelato.as_ref().map(CodiceFiscale::as_str))
        .text(&fascicolo.mandato_numero)
        .told(fascicolo.mandato_data)
        .text(fascicolo.pagamento.modalita)
        .text_option(fascicolo.pagamento.iban.as_ref().map(Iban::as_str))
        .push(fascicolo.pagamento.intestato_richiedente)
        .push(json(&dichiarazioni))
        .push(json_object(&fascicolo.dettagli));
}

const ATTI: Tabella = Tabella {
    testa: "INSERT INTO atti (registrazione, numero_domanda, operazione, mandato_numero, mandato_data, dettagli)",
    riga: "(?,?,?,?,?,?)",
    coda: "",
};

fn bind_atto(valori: &mut Valori, (nuova, seguito): &(&Nuova<'_>, &Seguito)) {
    valori
        .push(nuova.id)
        .push(intero(seguito.numero_domanda.0))
        .text(nuova.atto.operazione.nome())
        .text(&seguito.mandato_numero)
        .told(seguito.mandato_data)
        .push(json_object(&seguito.dettagli));
}

const DELEGHE: Tabella = Tabella {
    testa: "INSERT INTO deleghe (ente, servizio, numero_domanda, posto, registrazione, dal)",
    riga: "(?,?,?,?,?,?)",
    coda: " ON CONFLICT DO NOTHING",
};

fn bind_delega(valori: &mut Valori, delega: &Delega<'_>) {
    let nuova = delega.nuova;
    valori
        .text(nuova.atto.chiave.ente.as_str())
        .text(nuova.atto.chiave.servizio)
        .push(intero(nuova.registrata.numero_domanda.0))
        .push(delega.posto)
        .push(nuova.id)
        .push(nuova.ricevuta.registrata_il.as_millisecond());
}

const VARIAZIONI: Tabella = Tabella {
    testa: "INSERT INTO variazioni (istante, tipo, ente, servizio, numero_domanda, posto, registrazione, \
            presentata_il, registrata_il, stato, azione_richiesta)",
    riga: "(?,?,?,?,?,?,?,?,?,?,?)",
    coda: "",
};

fn bind_variazione(valori: &mut Valori, riga: &Variazione<'_>) {
    let nuova = riga.nuova;
    let registrata_il = nuova.ricevuta.registrata_il.as_millisecond();
    // A sheet's row tells the change; the registration's own row tells its instants.
    let della_registrazione = riga.posto.is_none();
    valori
        .push(registrata_il)
        .text(riga.tipo)
        .text(riga.ente().as_str())
        .text(nuova.atto.chiave.servizio)
        .push(intero(nuova.registrata.numero_domanda.0))
        .push(riga.posto)
        .push(nuova.id)
        .push(della_registrazione.then(|| nuova.ricevuta.presentata_il.as_millisecond()))
        .push(della_registrazione.then_some(registrata_il))
        .text_option(riga.stato)
        .text_option(riga.azione);
}

/// Sheets that acts move. First of all, so that a child whose sheet is given up is free for a domanda of the same batch.
async fn move_sheets(connessione: &mut SqliteConnection, nuove: &[Nuova<'_>]) -> Result<(), StoreError> {
    for mossa in mosse(nuove) {
        let esito = sqlx::query(
            "UPDATE schede
             SET stato = ?1, stato_dal = iif(stato = ?1, stato_dal, ?2), azione_richiesta = ?3
             WHERE numero_domanda = ?4 AND posto = ?5",
        )
        .bind(mossa.stato)
        .bind(mossa.nuova.ricevuta.registrata_il.as_millisecond())
        .bind(mossa.azione)
        .bind(intero(mossa.nuova.registrata.numero_domanda.0))
        .bind(mossa.posto)
        .execute(&mut *connessione)
        .await
        .map_err(guasto)?;
        if esito.rows_affected() != 1 {
            return Err(
                Inconsistency::new("schede", "posto", "an act moves a sheet that is not there").into(),
            );
        }
    }
    Ok(())
}

/// Sheets, several a registration, and what the list of their ente tells of them.
async fn insert_schede(connessione: &mut SqliteConnection, nuove: &[Nuova<'_>]) -> Result<(), StoreError> {
    let schede: Vec<_> = nuove.iter().flat_map(Nuova::schede).collect();
    // The sheet of a child who asks for itself may close one of this very batch: those before it go in first.
    for parte in schede.chunk_by(|_, (_, dopo)| !dopo.subentra) {
        if let Some((nuova, scheda)) = parte.first().filter(|(_, scheda)| scheda.subentra) {
            take_place(connessione, nuova, scheda).await?;
        }
        for parte in parti(parte) {
            let mut inserimento = Inserimento::default();
            inserimento.rows(SCHEDE, parte, bind_scheda);
            inserimento.rows(ELENCO, parte, |valori, (nuova, scheda)| {
                valori
                    .push(intero(nuova.registrata.numero_domanda.0))
                    .push(scheda.posto);
            });
            inserimento.execute(connessione).await?;
        }
    }
    Ok(())
}

/// AU-5: the sheet of a child who asks for itself closes the live one that a parent asked for, whoever sent that; the feed
/// tells it to that ente.
async fn take_place(
    connessione: &mut SqliteConnection,
    nuova: &Nuova<'_>,
    scheda: &Scheda,
) -> Result<(), StoreError> {
    let dei_genitori =
        format!("s.servizio = ?2 AND s.codice_fiscale = ?3 AND s.subentra = 0 AND s.stato IN ({VIVI})");
    for istruzione in [
        format!(
            "INSERT INTO variazioni (istante, tipo, ente, servizio, numero_domanda, posto, registrazione, stato,
                 azione_richiesta)
             SELECT ?1, 'STATO', d.ente, s.servizio, s.numero_domanda, s.posto, ?4, 'SOSTITUITA', 'NESSUNA'
             FROM schede s
             JOIN domande d ON d.numero = s.numero_domanda
             WHERE {dei_genitori}"
        ),
        format!(
            "UPDATE schede AS s SET stato = 'SOSTITUITA', stato_dal = ?1, azione_richiesta = 'NESSUNA' WHERE {dei_genitori}"
        ),
    ] {
        sqlx::query(AssertSqlSafe(istruzione))
            .bind(nuova.ricevuta.registrata_il.as_millisecond())
            .bind(nuova.atto.chiave.servizio)
            .bind(scheda.codice_fiscale.as_str())
            .bind(nuova.id)
            .execute(&mut *connessione)
            .await
            .map_err(guasto)?;
    }
    Ok(())
}

fn bind_scheda(valori: &mut Valori, (nuova, scheda): &(&Nuova<'_>, &Scheda)) {
    let altra_meta = scheda.pagamento_altro_genitore.as_ref();
    valori
        .push(intero(nuova.registrata.numero_domanda.0))
        .push(scheda.posto)
        .text(nuova.atto.chiave.servizio)
        .text(scheda.codice_fiscale.as_str())
        .told_option(scheda.data_nascita)
        .text(scheda.qualita)
        .push(scheda.disabile)
        .push(scheda.affido_condiviso)
        .text_option(scheda.altro_genitore.as_ref().map(CodiceFiscale::as_str))
        .text_option(scheda.altro_genitore_assente)
        .text(scheda.ripartizione)
        .text_option(altra_meta.map(|altra| altra.modalita))
        .text_option(altra_meta.and_then(|altra| altra.iban.as_ref()).map(Iban::as_str))
        .told_option(scheda.decorrenza_presunta)
        .push(scheda.subentra)
        .push(json_object(&scheda.dettagli))
        .push(nuova.id)
        .push(nuova.ricevuta.registrata_il.as_millisecond());
}

const SCHEDE: Tabella = Tabella {
    testa: "INSERT INTO schede (numero_domanda, posto, servizio, codice_fiscale, data_nascita, qualita, disabile, \
            affido_condiviso, altro_genitore, altro_genitore_assente, ripartizione, altro_genitore_modalita, \
            altro_genitore_iban, decorrenza_presunta, subentra, dettagli, registrazione, stato_dal, stato, \
            azione_richiesta)",
    riga: "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,'PRESENTATA','NESSUNA')",
    coda: "",
};

/// Whoever presented the domanda finds each of its sheets, also one that an act has added, as presented with it.
const ELENCO: Tabella = Tabella {
    testa: "INSERT INTO elenco (ente, servizio, presentata_il, numero_domanda, posto, registrazione, codice_ufficio, \
            richiedente, codice_fiscale, stato, azione_richiesta) WITH nuove (numero_domanda, posto) AS (",
    riga: "(?,?)",
    coda: ") SELECT d.ente, s.servizio, r.presentata_il, s.numero_domanda, s.posto, d.registrazione, r.codice_ufficio, \
           d.richiedente, s.codice_fiscale, s.stato, s.azione_richiesta \
           FROM nuove \
           CROSS JOIN schede s USING (numero_domanda, posto) \
           CROSS JOIN domande d ON d.numero = s.numero_domanda \
           CROSS JOIN registrazioni r ON r.id = d.registrazione",
};
