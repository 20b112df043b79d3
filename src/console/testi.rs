//! Every text of the pages, in both languages, in one table: a text that lacks a language does not compile. Italian unless
//! English was chosen.

use actix_web::HttpRequest;

use super::sessione;
use crate::store::operatori::Ruolo;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lingua {
    /// Where the offices are.
    Italiano,
    /// For everybody else.
    Inglese,
}

impl Lingua {
    /// All of them.
    pub(super) const TUTTE: &'static [Self] = &[Self::Italiano, Self::Inglese];

    /// The one that was chosen.
    pub(super) fn chosen(richiesta: &HttpRequest) -> Self {
        sessione::language(richiesta)
            .and_then(Self::parse)
            .unwrap_or(Self::Italiano)
    }

    /// The one of a code.
    #[must_use]
    pub fn parse(codice: &str) -> Option<Self> {
        Self::TUTTE
            .iter()
            .copied()
            .find(|lingua| lingua.codice() == codice)
    }

    /// As `lang` has it.
    #[must_use]
    pub fn codice(self) -> &'static str {
        self.of("it", "en")
    }

    pub(super) fn sigla(self) -> &'static str {
        self.of("IT", "EN")
    }

    pub(super) fn nome(self) -> &'static str {
        self.of("Italiano", "English")
    }

    /// Of two texts its own.
    pub(super) fn of<'t>(self, italiano: &'t str, inglese: &'t str) -> &'t str {
        match self {
            Self::Italiano => italiano,
            Self::Inglese => inglese,
        }
    }

    pub(super) fn testi(self) -> &'static Testi {
        match self {
            Self::Italiano => &ITALIANO,
            Self::Inglese => &INGLESE,
        }
    }
}

macro_rules! testi {
    ($($nome:ident $it:literal $en:literal)*) => {
        /// The texts in one language.
        #[derive(Debug)]
        pub(super) struct Testi { $(pub(super) $nome: &'static str,)* }
        static ITALIANO: Testi = Testi { $($nome: $it,)* };
        static INGLESE: Testi = Testi { $($nome: $en,)* };
        #[cfg(test)]
        const TESTI: &[(&str, &str, &str)] = &[$((stringify!($nome), $it, $en),)*];
    };
}

impl Testi {
    pub(super) fn role(&self, ruolo: Ruolo) -> &'static str {
        match ruolo {
            Ruolo::Lettore => self.ruolo_lettore,
            Ruolo::Indagatore => self.ruolo_indagatore,
            Ruolo::Gestore => self.ruolo_gestore,
        }
    }
}

testi! {
    // ── The frame ──
    salta "Vai al contenuto" "Skip to content"
    menu "Sezioni" "Sections"
    menu_traffico "Traffico" "Traffic"
    menu_messaggi "Messaggi" "Messages"
    menu_porta "Porta" "Door"
    menu_lotti "Lotti" "Lots"
    menu_enti "Enti" "Partners"
    menu_archivio "Archivio" "Store"
    lingua "Lingua" "Language"
    esci "Esci" "Sign out"
    ruolo_lettore "lettore" "viewer"
    ruolo_indagatore "indagatore" "investigator"
    ruolo_gestore "gestore" "manager"
    manutenzione "In manutenzione: domande, atti e lotti nuovi sono rifiutati" "Under maintenance: new domande, acts and lots are refused"
    manutenzione_fino "fino al" "until"
    torna_inizio "Torna all'inizio" "Back to the first page"
    // ── Words of many pages ──
    quando "Quando" "When"
    codice "Codice" "Code"
    significato "Significato" "Meaning"
    esito "Esito" "Outcome"
    stato "Stato" "State"
    tutti "Tutti" "All"
    cerca "Cerca" "Search"
    togli_filtri "Togli i filtri" "Clear the filters"
    rimedio "Che cosa fare" "How to fix"
    // ── Why there is no page ──
    errore_non_ce "Qui non c'è nulla con questo nome, o non più." "There is nothing of that name here, or no longer."
    errore_metodo "Questa pagina non si chiede in questo modo." "This page is not asked for in this way."
    errore_ospite "La richiesta era diretta a un altro nome: si entra con l'indirizzo, con localhost o con console.nome." "The request was meant for another name: come by the address, by localhost or by console.nome."
    errore_origine "La richiesta non viene da una pagina di questa sessione. Tornare indietro, ricaricare la pagina e riprovare." "The request does not come from a page of this session. Go back, reload the page and try again."
    errore_vietato "Il proprio ruolo non lo consente. Il tentativo è stato registrato." "Your role does not allow it. The attempt was recorded."
    errore_modulo "Il modulo è troppo grande, troppo lento o illeggibile." "The form is too large, too slow or unreadable."
    errore_archivio "L'archivio non risponde: riprovare fra qualche secondo." "The store does not answer: try again in a few seconds."
    errore_guasto "Qualcosa si è guastato qui: il registro di sistema dice che cosa." "Something broke here: the system log says what."
    // ── Signing in ──
    accesso_titolo "Accesso" "Sign in"
    accesso_nome "Nome" "Name"
    accesso_password "Password" "Password"
    accesso_entra "Entra" "Sign in"
    accesso_certificato "Entra con il certificato" "Sign in with the certificate"
    accesso_errato "Nome o password errati." "Wrong name or password."
    accesso_troppi "Troppi tentativi: attendere prima di riprovare." "Too many attempts: wait before you try again."
    accesso_certificato_ignoto "Nessun operatore ha questo certificato." "No operator has this certificate."
    accesso_nota "Ogni accesso, riuscito o no, è registrato. Chi non ha un nome lo chiede a chi gestisce il varco (varco operator add)." "Every sign-in, successful or not, is recorded. If you have no name, ask who runs the gateway (varco operator add)."
    // ── Traffic ──
    traffico_finestra "Periodo" "Period"
    traffico_ritmo "Aggiorna ogni" "Refresh every"
    traffico_fermo "mai" "never"
    traffico_messaggi "Messaggi" "Messages"
    traffico_al_secondo "Al secondo" "Per second"
    traffico_in_corso "In corso" "In flight"
    traffico_richieste "Messaggi al secondo" "Messages per second"
    traffico_latenze "Durata in millisecondi" "Duration in milliseconds"
    traffico_richieste_descrizione "Messaggi al secondo per esito, nel periodo; i numeri sono nella tabella qui sotto." "Messages per second by outcome over the period; the numbers are in the table below."
    traffico_latenze_descrizione "Durata dei messaggi: mediana, 95º e 99º percentile; i numeri sono nella tabella qui sotto." "Duration of messages: median, 95th and 99th percentile; the numbers are in the table below."
    traffico_numeri "I numeri dei grafici" "The numbers of the charts"
    traffico_per_ente "Per ente" "By partner"
    traffico_per_codice "Rifiuti per codice" "Refusals by code"
    traffico_quota "Grafico a barre" "Bar chart"
    traffico_ente_ignoto "non riconosciuto" "not recognised"
    traffico_nessuno "Nessun messaggio nel periodo." "No message in the period."
    traffico_nessun_rifiuto "Nessun rifiuto nel periodo." "No refusal in the period."
    traffico_parziale "Contati sugli ultimi 20 000 messaggi del periodo." "Counted over the last 20,000 messages of the period."
    traffico_nota "Grafici e codici: di questo processo, da quando è partito. Per ente: di tutti i varchi sullo stesso archivio." "Charts and codes: of this process, since it started. By partner: of all gateways on the same store."
    gruppo_accolte "Registrate" "Registered"
    gruppo_altre "Altre risposte" "Other answers"
    gruppo_rifiutate "Rifiutate" "Refused"
    gruppo_interrotte "Interrotte" "Cut off"
    // ── Searching ──
    cerca_protocollo "Protocollo, anche solo in parte" "Protocol number, or a part of it"
    cerca_esempio_protocollo "es. 10797, 2021-10797" "e.g. 10797, 2021-10797"
    cerca_dal "Dal" "From"
    cerca_al "Al (escluso)" "To (excluded)"
    cerca_persona "Persona (codice fiscale)" "Person (codice fiscale)"
    cerca_persona_nota "Chi si cerca per codice fiscale non entra in alcun indirizzo né nella cronologia del browser." "Who is looked for by codice fiscale is in no address and not in the browser's history."
    cerca_altri "Altri criteri" "More criteria"
    cerca_salvate "Ricerche salvate" "Saved searches"
    cerca_dimentica "Dimentica la ricerca" "Forget the search"
    cerca_salva "Salva la ricerca" "Save the search"
    cerca_nome "Nome" "Name"
    cerca_nulla "Nessun messaggio corrisponde." "No message matches."
    cerca_avanti "Più vecchi" "Older"
    cerca_avanti_ancora "Nessuno in questo tratto: la ricerca continua più indietro." "None in this stretch: the search goes on further back."
    cerca_csv "Esporta in CSV" "Export as CSV"
    cerca_senza_chiave "Questo varco non ha la chiave di ricerca: di una persona trova solo le domande registrate." "This gateway has no search key: of a person it finds registered domande alone."
    // ── One message ──
    msg_titolo "Messaggio" "Message"
    msg_protocollo "Protocollo" "Protocol number"
    msg_domanda "Numero domanda" "Domanda number"
    msg_ricevuto "Ricevuto" "Received"
    msg_errori "Errori" "Errors"
    msg_riga "riga" "line"
    msg_colonna "colonna" "column"
    msg_stessa_chiave "Stessa ChiaveInvio: tentativi e ripetizioni" "Same ChiaveInvio: attempts and repetitions"
    msg_stessa_domanda "Stessa domanda: atti e consultazioni" "Same domanda: acts and look-ups"
    msg_questo "questo" "this one"
    msg_lotto "Lotto" "Lot"
    msg_dati "Chi e che cosa" "Who and what"
    msg_note "Note" "Notes"
    msg_passi "Passi" "Steps"
    msg_senza_passi "Nessun passo misurato." "No step was timed."
    msg_passo "Passo" "Step"
    msg_inizio "inizio ms" "start ms"
    msg_linea "Linea del tempo" "Timeline"
    msg_totale "In tutto" "In all"
    msg_canale "Canale" "Channel"
    msg_servizio "Servizio" "Service"
    msg_operazione "Operazione" "Operation"
    msg_ente "Ente" "Partner"
    msg_ufficio "CodiceUfficio" "CodiceUfficio"
    msg_utente "UserId" "UserId"
    msg_identity "Forma di Identity" "Form of Identity"
    msg_chiave "ChiaveInvio" "ChiaveInvio"
    msg_indirizzo "Indirizzo" "Address"
    msg_certificato "Certificato" "Certificate"
    msg_seriale "Seriale" "Serial"
    msg_richiesta_a "Richiesta a" "Sent to"
    msg_byte "Byte" "Bytes"
    msg_id_mittente "Id del mittente" "Sender's id"
    msg_id_transazione "Id transazione" "Transaction id"
    msg_impronta "Impronta" "Fingerprint"
    msg_richiesta "Richiesta" "Request"
    msg_risposta "Risposta" "Answer"
    msg_mascherata "dati personali mascherati" "personal data masked"
    msg_non_conservata "Non conservata." "Not kept."
    msg_tagliata "Il testo continua: scaricarlo per vederlo intero." "The text goes on: download it to see all of it."
    msg_luogo "Riga e colonna come ricevute" "Line and column as received"
    msg_testo "Testo" "Text"
    msg_errore_qui "Errore in questo punto:" "Error at this place:"
    msg_vedi_in_chiaro "Vedere in chiaro o scaricare" "See in clear or download"
    msg_motivo "Motivo" "Reason"
    msg_motivo_nota "Da 10 a 500 caratteri, senza dati personali. Resta nella traccia con il proprio nome, prima che si veda qualcosa." "10 to 500 characters, no personal data. It stays in the trace with your name, before anything is shown."
    msg_serve_motivo "Serve un motivo, da 10 a 500 caratteri." "A reason is needed, 10 to 500 characters."
    msg_mostra_in_chiaro "Mostra in chiaro" "Show in clear"
    msg_scarica_richiesta "Scarica la richiesta" "Download the request"
    msg_scarica_risposta "Scarica la risposta" "Download the answer"
    msg_in_chiaro_ora "Dati personali in chiaro: lo sguardo e il suo motivo sono registrati." "Personal data in clear: the look and its reason are recorded."
    // ── The door ──
    porta_titolo "Registro della porta" "Door log"
    porta_nota "Chi non è stato fatto entrare: un handshake fallito non ha un messaggio in cui dirlo, e sta solo qui." "Who was not let in: a failed handshake has no message in which to say so, and stands here alone."
    porta_cerca "Indirizzo, soggetto, seriale o SNI" "Address, subject, serial or SNI"
    porta_chi "Chi" "Who"
    porta_causa "Causa" "Cause"
    porta_vuota "Nessun rifiuto." "No refusal."
    porta_altre "Ce ne sono altri: restringere la ricerca." "There are more: narrow the search."
    // ── Lots ──
    lotto "Lotto" "Lot"
    lotti_quali "Quali lotti" "Which lots"
    lotti_aperti "Aperti" "Open"
    lotti_nessuno "Nessun lotto." "No lot."
    lotti_avanzamento "Avanzamento" "Progress"
    lotti_registrate "Registrate" "Registered"
    lotti_ripetute "Ripetute" "Repeated"
    lotti_rifiutate "Rifiutate" "Refused"
    lotti_passo "Al secondo" "Per second"
    lotti_resta "restano" "left:"
    lotti_presentato "Presentato" "Presented"
    lotti_comandi "Comandi" "Commands"
    lotto_completo "completo" "complete"
    lotto_parziale "parziale" "partial"
    lotto_interrotto "interrotto" "broken off"
    lotto_sospeso "sospeso" "paused"
    lotto_fermo "fermo" "stuck"
    lotto_in_coda "in coda" "queued"
    lotto_in_lavorazione "in lavorazione" "in work"
    lotto_sospendi "Sospendi" "Pause"
    lotto_riprendi "Riprendi" "Resume"
    lotto_annulla "Chiudi per sempre" "Close for good"
    lotto_annulla_conferma "Un lotto chiuso non riprende più: le domande non lette vanno inviate di nuovo." "A closed lot never resumes: domande that were not read must be sent again."
    lotto_sospeso_fatto "Il lotto è sospeso." "The lot is paused."
    lotto_ripreso_fatto "Il lotto riprende." "The lot resumes."
    lotto_annullato_fatto "Il lotto è chiuso." "The lot is closed."
    lotto_non_piu_aperto "Il lotto non è più aperto: nulla è cambiato." "The lot is no longer open: nothing has changed."
    // ── Partners ──
    enti_titolo "Enti e certificati" "Partners and certificates"
    enti_scadenza "Scadenza" "Expiry"
    enti_giorni "Giorni" "Days"
    enti_certificati "Certificati" "Certificates"
    enti_uffici "Uffici" "Offices"
    enti_servizi "Servizi" "Services"
    enti_indirizzi "Indirizzi" "Addresses"
    enti_ovunque "ovunque" "anywhere"
    enti_quota "Al minuto" "Per minute"
    enti_attivo "attivo" "active"
    enti_sospeso "sospeso" "suspended"
    enti_nostri "Certificati di questo varco" "Certificates of this gateway"
    enti_server "server" "server"
    enti_cosa "Di chi" "Whose"
    enti_nota "La scadenza è nota dei certificati che le adesioni indicano come file; per gli altri è ignota finché non si presentano." "Expiry is known of the certificates that the register of partners names as files; of others it is not, until they come."
    scadenza_ignota "ignota" "unknown"
    scadenza_passata "scaduto" "expired"
    scadenza_urgente "fra poco" "very soon"
    scadenza_vicina "vicina" "soon"
    scadenza_lontana "lontana" "far off"
    // ── The store ──
    archivio_titolo "Archivio e code" "Store and queues"
    archivio_pronto "L'archivio risponde e prenderebbe una registrazione adesso." "The store answers and would take a registration now."
    archivio_cosa "L'archivio" "The store"
    archivio_motore "Motore" "Engine"
    archivio_schema "Versione dello schema" "Schema version"
    archivio_sincronia "Durevolezza" "Durability"
    archivio_ingresso "Ingresso" "Login"
    archivio_senza_tls "senza TLS" "without TLS"
    archivio_code "Code" "Queues"
    archivio_coda "Coda" "Queue"
    archivio_adesso "Adesso" "Now"
    archivio_massimo "Al più" "At most"
    archivio_coda_registro "atti in attesa di registrazione" "acts waiting to be registered"
    archivio_coda_tracce "tracce in corso o da scrivere" "traces under way or to be written"
    archivio_connessioni "connessioni di lettura in uso" "reading connections in use"
    archivio_disco "Disco" "Disk"
    archivio_usato "usato" "used"
    archivio_libero "Libero" "Free"
    archivio_file "File dell'archivio" "The store's file"
    archivio_wal "Registro di scrittura (WAL)" "Write-ahead log"
    previsione_altrove "Il disco è di PostgreSQL: lo si guarda là." "The disk is PostgreSQL's: look at it there."
    previsione_presto "Previsione: servono dieci minuti di misure." "Forecast: ten minutes of measures are needed."
    previsione_mai "Previsione: a questo passo il disco non si riempie." "Forecast: at this pace the disk does not fill."
    previsione_giorni "giorni, e a questo passo il disco è pieno." "days, and at this pace the disk is full."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_lacks_a_language() {
        for (nome, it, en) in TESTI {
            for testo in [it, en] {
                assert!(!testo.is_empty() && testo.trim() == *testo, "{nome}");
            }
            // Names of things that have one name are the same in both; sentences never are.
            assert!(it != en || !it.contains(' '), "{nome}");
        }
        assert_eq!(Lingua::parse("fr"), None);
        assert_eq!(Lingua::Inglese.testi().esci, "Sign out");
    }
}
