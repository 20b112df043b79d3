//! Every metric that there is: name, kind, labels and what it says. docs/metriche.md is written from it, and the rules and
//! the dashboard in deploy/ are held to it.

/// What a metric is to whoever reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tipo {
    /// It only grows, until the process starts again.
    Contatore,
    /// It stands where it stands.
    Indicatore,
    /// Values by size.
    Istogramma,
}

/// A metric.
#[derive(Debug, PartialEq, Eq)]
pub struct Metrica {
    /// Its name: seconds and bytes, `_total` where it counts.
    pub nome: &'static str,
    /// Its kind.
    pub tipo: Tipo,
    /// Its labels, in the order in which their values are told.
    pub etichette: &'static [&'static str],
    /// What it says: a sentence in Italian, for whoever looks after the gateway.
    pub aiuto: &'static str,
}

macro_rules! metriche {
    ($($costante:ident $nome:literal $tipo:ident [$($etichetta:literal),*] $aiuto:literal)*) => {
        $(
            #[doc = concat!("`", $nome, "`.")]
            pub static $costante: Metrica = Metrica {
                nome: $nome,
                tipo: Tipo::$tipo,
                etichette: &[$($etichetta),*],
                aiuto: $aiuto,
            };
        )*
        /// All of them, in the order in which they are told.
        pub static METRICHE: &[&Metrica] = &[$(&$costante),*];
    };
}

metriche! {
    // ── Messages ──
    MESSAGGI "varco_messages_total" Contatore ["canale", "servizio", "operazione", "esito"]
        "Messaggi conclusi, per canale (MODI, PDD), servizio, operazione ed esito. «nessuno» dove il messaggio non è arrivato a dirlo."
    RIFIUTI "varco_refusals_total" Contatore ["codice"]
        "Messaggi rifiutati o falliti, per il primo codice detto al mittente (docs/errori.md)."
    RILIEVI "varco_findings_total" Contatore ["codice"]
        "Errori detti ai mittenti, per codice: un messaggio ne può avere molti."
    DURATA "varco_message_seconds" Istogramma ["operazione"]
        "Dall'arrivo della testata alla risposta pronta, per operazione."
    PASSI_SECONDS "varco_step_seconds" Istogramma ["passo"]
        "Durata di ogni passo della via di un messaggio."
    BYTE_ENTRATI "varco_request_bytes_total" Contatore ["canale"]
        "Byte dei messaggi ricevuti, per canale."
    BYTE_USCITI "varco_response_bytes_total" Contatore ["canale"]
        "Byte delle risposte; di una risposta scritta mentre l'archivio è letto, la sola testa."
    IN_CORSO "varco_messages_in_flight" Indicatore []
        "Messaggi in lavorazione adesso."
    TRACCIA_CODA "varco_trace_queue" Indicatore []
        "Posti presi nella coda delle tracce: messaggi in lavorazione o non ancora scritti."
    TRACCIA_PIENA "varco_trace_queue_full_total" Contatore []
        "Messaggi respinti con 503 perché la coda delle tracce era piena."
    OTLP_FALLITI "varco_otlp_failures_total" Contatore []
        "Invii al collettore OpenTelemetry non riusciti (telemetria.collettore)."
    SIGILLATE "varco_sealed_rows_total" Contatore []
        "Righe sigillate da questo varco nella catena di prova."
    SIGILLO_ETA "varco_unsealed_age_seconds" Indicatore []
        "Da quanto attende la traccia più vecchia non ancora sigillata, all'ultimo giro; cresce se l'archivio non si lascia sigillare."
    SIGILLO_GUASTO "varco_seal_broken" Indicatore []
        "1 se una chiusura di giorno non è stata scritta fra le ancore: non si può, o ce n'è un'altra."
    // ── The register ──
    CODA "varco_writer_queue" Indicatore []
        "Atti in attesa di registrazione."
    CODA_MASSIMA "varco_writer_queue_capacity" Indicatore []
        "Atti che possono attendere (writer.coda); oltre si risponde 503."
    LOTTO_ATTI "varco_commit_acts" Istogramma ["tipo"]
        "Quanto registra una transazione: atti singoli (atti), domande di un lotto (gruppo)."
    COMMIT_SECONDS "varco_commit_seconds" Istogramma ["tipo"]
        "Durata di una transazione di registrazione, conferma compresa."
    COMMIT_FALLITI "varco_commit_failures_total" Contatore ["codice"]
        "Transazioni di registrazione fallite o dall'esito ignoto, per il codice detto ai mittenti."
    // ── The store ──
    PRONTO "varco_ready" Indicatore []
        "1 se /health/ready è verde."
    ARCHIVIO "varco_store_reachable" Indicatore []
        "1 se l'ultima prova di scrittura nell'archivio è riuscita."
    ARCHIVIO_GUASTO "varco_store_fault" Indicatore ["codice"]
        "1 per il codice con cui l'ultima prova è fallita: STO-004 = l'archivio sta prima di quanto è stato detto."
    SCHEMA "varco_store_schema_version" Indicatore []
        "Versione dello schema dell'archivio."
    CONNESSIONI_ARCHIVIO "varco_store_connections" Indicatore ["stato"]
        "Connessioni di lettura dell'archivio: in_uso, libere."
    CONNESSIONI_ARCHIVIO_MAX "varco_store_connections_max" Indicatore []
        "Connessioni di lettura ammesse (database.connessioni)."
    ARCHIVIO_BYTE "varco_store_file_bytes" Indicatore ["file"]
        "SQLite: byte del file dell'archivio (archivio) e del suo registro (wal)."
    DISCO_LIBERO "varco_store_disk_free_bytes" Indicatore []
        "SQLite: byte liberi, per chi esegue il varco, sul disco dell'archivio."
    DISCO "varco_store_disk_bytes" Indicatore []
        "SQLite: byte del disco dell'archivio."
    // ── Room ──
    SPAZIO_STATO "varco_space_state" Indicatore ["stato"]
        "1 per lo stato dello spazio: normale; stretto = i lotti nuovi sono rifiutati (LOT-016); critico = anche domande e atti nuovi (STO-005)."
    SPAZIO_LIBERO "varco_space_free_bytes" Indicatore ["posto"]
        "Byte che si possono ancora scrivere: disco dell'archivio (archivio), spazio.database_bytes_max (quota), disco delle ancore (ancore)."
    SPAZIO_CAPIENZA "varco_space_bytes" Indicatore ["posto"]
        "Byte in tutto di ogni posto."
    SPAZIO_CRESCITA "varco_space_growth_bytes_per_day" Indicatore []
        "Di quanti byte al giorno cresce l'archivio: mediana delle pendenze fra i campioni orari delle ultime quattro settimane."
    SPAZIO_GIORNI "varco_space_days_to_full" Indicatore []
        "Fra quanti giorni, a questo passo, lo spazio dell'archivio è critico; assente se non cala o non è noto."
    CONSERVAZIONE_RIGHE "varco_retention_rows_total" Contatore ["regola"]
        "Righe scartate a fine conservazione da questo varco, per regola (TRACCE_BYTE: tracce svuotate)."
    CONSERVAZIONE_BYTE "varco_retention_bytes_total" Contatore ["regola"]
        "Byte scartati a fine conservazione da questo varco, per regola."
    TRACCE_CEDUTE "varco_trace_given_up_total" Contatore []
        "Tracce di messaggi che non hanno registrato nulla, non scritte perché l'archivio è pieno: il log ne ha la riga."
    // ── Maintenance ──
    MANUTENZIONE "varco_maintenance" Indicatore []
        "1 durante una manutenzione (varco maintenance): domande, atti e lotti nuovi sono rifiutati (SYS-004)."
    MANUTENZIONE_FINE "varco_maintenance_end_timestamp_seconds" Indicatore []
        "Quando la manutenzione in corso finisce da sé; assente se non ce n'è, o se finisce quando qualcuno la toglie."
    // ── Lots ──
    LOTTI "varco_lots" Indicatore ["stato"]
        "Lotti non conclusi nell'archivio: in_attesa, in_lavorazione, sospesi, fermi (fermi conta anche fra i primi due). Di più varchi su un archivio si guarda uno, non la somma."
    LOTTI_ETA "varco_lots_oldest_seconds" Indicatore []
        "Età del più vecchio lotto non concluso e non sospeso; 0 se non ce n'è."
    LOTTI_ELEMENTI "varco_lot_items_total" Contatore ["esito"]
        "Domande di lotti lavorate da questo varco, per esito."
    LOTTI_PRESI "varco_lot_claims_total" Contatore []
        "Lotti presi in carico da questo varco: nuovi, ripresi o tolti a un varco che tace."
    // ── The door ──
    ACCOLTI "varco_door_accepted_total" Contatore ["ripresa"]
        "Handshake TLS riusciti, da capo (no) o con una sessione ripresa (si)."
    RESPINTI "varco_door_refused_total" Contatore ["codice"]
        "Rifiuti alla porta, per codice: handshake, limiti di connessione, HTTP rifiutato prima di ogni messaggio."
    PROVATI "varco_trial_door_total" Contatore ["codice"]
        "Visite alla porta di prova, per il codice con cui la porta vera respingerebbe; vuoto = ammesso."
    PORTA_PERSI "varco_door_log_lost_total" Contatore []
        "Rifiuti alla porta contati e non scritti, perché la loro coda era piena."
    CONNESSIONI "varco_connections" Indicatore []
        "Connessioni aperte adesso, handshake in corso compresi."
    CONNESSIONI_MAX "varco_connections_max" Indicatore []
        "Connessioni ammesse insieme (limits.connessioni_max)."
    // ── Certificates ──
    SCADENZE "varco_certificate_expiry_timestamp_seconds" Indicatore ["di", "ente"]
        "Quando scade: il certificato del server, la prima delle CA (ca), l'ultimo certificato di ogni ente indicato come file nelle adesioni."
    CRL_EMESSA "varco_crl_issued_timestamp_seconds" Indicatore ["lista"]
        "Quando è stata emessa ogni CRL in vigore, nell'ordine del file."
    CRL_PROSSIMA "varco_crl_next_update_timestamp_seconds" Indicatore ["lista"]
        "Fino a quando vale ogni CRL in vigore."
    // ── The process, by the names that every dashboard knows ──
    BUILD_INFO "varco_build_info" Indicatore ["version", "revision"]
        "Sempre 1: versione e, se nota alla compilazione, revisione."
    AVVIO "process_start_time_seconds" Indicatore []
        "Quando è partito il processo."
    CPU "process_cpu_seconds_total" Contatore []
        "Tempo di processore usato."
    MEMORIA "process_resident_memory_bytes" Indicatore []
        "Memoria residente."
    FD "process_open_fds" Indicatore []
        "Descrittori di file aperti."
    FD_MAX "process_max_fds" Indicatore []
        "Descrittori di file ammessi."
}

/// docs/metriche.md.
#[must_use]
pub fn markdown() -> String {
    let mut pagina = INTESTAZIONE.to_owned();
    for metrica in METRICHE {
        let etichette: Vec<_> = metrica.etichette.iter().map(|nome| format!("`{nome}`")).collect();
        let tipo = match metrica.tipo {
            Tipo::Contatore => "contatore",
            Tipo::Indicatore => "indicatore",
            Tipo::Istogramma => "istogramma",
        };
        let riga = [
            &format!("`{}`", metrica.nome),
            tipo,
            &etichette.join(", "),
            metrica.aiuto,
        ]
        .join(" | ");
        pagina.push_str(&format!("| {riga} |\n").replace("|  |", "| |"));
    }
    pagina
}

const INTESTAZIONE: &str = include_str!("metriche.md");
