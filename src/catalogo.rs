//! The catalogue of errors: one table. Every code that Varco tells anybody stands here with its Italian and
//! English text, its suggestion, its kind and whether the same message may succeed later. `docs/errori.md`, the
//! served catalogue and the tests come from this table; codes are never reused and never renumbered.
//!
//! Texts are templates: `{nome}` is filled from the arguments of the violation. No argument ever holds a codice
//! fiscale, an IBAN or a name.

/// What a client is shown for a kind of refusal: the names that `GovWay`'s clients already parse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Genere {
    /// The bytes are no XML, or XML that we refuse to read.
    UnprocessableRequestContent,
    /// Read, but not what the contract says (envelope, Identity, XSD).
    InvalidRequestContent,
    /// The Content-Type is not one of ours.
    ContentTypeNotSupported,
    /// A header block that must be understood is not.
    SoapMustUnderstandUnknown,
    /// An envelope of no SOAP version that we speak.
    SoapVersionMismatch,
    /// No such operation.
    UndefinedOperation,
    /// What was asked for is not there (for this ente).
    NotFound,
    /// Known, but not allowed.
    AuthorizationDeny,
    /// The same key with other content.
    Conflict,
    /// Over a limit of size.
    RequestSizeExceeded,
    /// Over the ente's quota.
    LimitExceeded,
    /// Ours: not now.
    APIUnavailable,
    /// A rule of the prestazione: no fault, the outcome `RIFIUTATA`.
    Regola,
    /// A warning beside the outcome.
    Avviso,
    /// Refused before there was an envelope (TLS, HTTP): door log and status line only.
    Porta,
}

impl Genere {
    /// The status told inside `problem`, as `GovWay` numbers it. 0 where there is no fault.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::UnprocessableRequestContent
            | Self::InvalidRequestContent
            | Self::ContentTypeNotSupported
            | Self::SoapMustUnderstandUnknown
            | Self::SoapVersionMismatch => 400,
            Self::AuthorizationDeny => 403,
            Self::UndefinedOperation | Self::NotFound => 404,
            Self::Conflict => 409,
            Self::RequestSizeExceeded => 413,
            Self::LimitExceeded => 429,
            Self::APIUnavailable => 503,
            Self::Regola | Self::Avviso | Self::Porta => 0,
        }
    }

    /// The subcode: the variant's own name.
    #[must_use]
    pub fn nome(self) -> &'static str {
        match self {
            Self::UnprocessableRequestContent => "UnprocessableRequestContent",
            Self::InvalidRequestContent => "InvalidRequestContent",
            Self::ContentTypeNotSupported => "ContentTypeNotSupported",
            Self::SoapMustUnderstandUnknown => "SoapMustUnderstandUnknown",
            Self::SoapVersionMismatch => "SoapVersionMismatch",
            Self::UndefinedOperation => "UndefinedOperation",
            Self::NotFound => "NotFound",
            Self::AuthorizationDeny => "AuthorizationDeny",
            Self::Conflict => "Conflict",
            Self::RequestSizeExceeded => "RequestSizeExceeded",
            Self::LimitExceeded => "LimitExceeded",
            Self::APIUnavailable => "APIUnavailable",
            Self::Regola => "Regola",
            Self::Avviso => "Avviso",
            Self::Porta => "Porta",
        }
    }
}

/// One line of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voce {
    /// The stable code: `XSD-004`.
    pub codice: &'static str,
    /// The kind of refusal.
    pub genere: Genere,
    /// Whether the same message, sent again later, may succeed.
    pub ripetere: bool,
    /// The Italian sentence, a template.
    pub it: &'static str,
    /// The English sentence, a template with the same arguments.
    pub en: &'static str,
    /// What to do, in Italian: a template with the same arguments.
    pub suggerimento: &'static str,
}

macro_rules! catalogo {
    ($($nome:ident $codice:literal $genere:ident $ripetere:ident {
        $it:literal
        $en:literal
        $suggerimento:literal
    })*) => {
        /// A code of the catalogue.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the table below is the documentation of each code")]
        pub enum Codice {
            $($nome,)*
        }

        /// Every code, in the order of the table.
        pub const CODICI: &[Codice] = &[$(Codice::$nome,)*];

        impl Codice {
            /// The code's line of the catalogue.
            #[must_use]
            pub fn voce(self) -> &'static Voce {
                match self {
                    $(Self::$nome => &Voce {
                        codice: $codice,
                        genere: Genere::$genere,
                        ripetere: catalogo!(@ $ripetere),
                        it: $it,
                        en: $en,
                        suggerimento: $suggerimento,
                    },)*
                }
            }
        }
    };
    (@ ripetere) => { true };
    (@ correggere) => { false };
}

impl Codice {
    /// The code as it is told: `XSD-004`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.voce().codice
    }

    /// The code spelt `text`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        CODICI.iter().copied().find(|codice| codice.as_str() == text)
    }
}

impl std::fmt::Display for Codice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Fills the `{nome}` places of a template; a place without an argument stays as it is (a test holds that none does).
#[must_use]
pub fn fill(template: &str, argomenti: &[(&'static str, String)]) -> String {
    let mut testo = template.to_owned();
    for (nome, valore) in argomenti {
        testo = testo.replace(&format!("{{{nome}}}"), valore);
    }
    testo
}

// Three texts a code: Italian, English, suggestion. Kept in groups by prefix, each in order of number.
catalogo! {
    // ── TLS: the handshake (door log only: a failed handshake has no envelope) ──
    Tls001 "TLS-001" Porta correggere {
        "nessun certificato client presentato"
        "no client certificate presented"
        "Configurare il client perché presenti il certificato dell'ente e la sua chiave privata: su questa porta sono obbligatori. Un proxy o un bilanciatore in mezzo deve lasciar passare TLS senza terminarlo."
    }
    Tls002 "TLS-002" Porta correggere {
        "il certificato client non è emesso da una CA riconosciuta (emittente {emittente})"
        "the client certificate is not issued by a recognised CA (issuer {emittente})"
        "Il client deve presentare il certificato comunicato all'adesione, con gli eventuali certificati intermedi. Se la CA è nuova, il gestore la aggiunge al file tls.ca e ricarica (SIGHUP)."
    }
    Tls003 "TLS-003" Porta correggere {
        "il certificato client è scaduto (fine validità {scadenza})"
        "the client certificate has expired (not after {scadenza})"
        "Installare sul client il certificato rinnovato; se ha impronta o seriale diversi, il gestore lo aggiunge all'ente in adesioni.toml prima che il vecchio scada."
    }
    Tls004 "TLS-004" Porta ripetere {
        "il certificato client non è ancora valido"
        "the client certificate is not valid yet"
        "Controllare l'inizio di validità del certificato e l'orologio di questa macchina."
    }
    Tls005 "TLS-005" Porta correggere {
        "il certificato client è revocato"
        "the client certificate is revoked"
        "Chiedere alla CA un certificato nuovo e comunicarlo al gestore. Se la revoca è un errore, serve una CRL nuova della CA nel file tls.crl, poi SIGHUP."
    }
    Tls006 "TLS-006" Porta ripetere {
        "nessuna CRL dice se il certificato client è revocato (emittente {emittente})"
        "no CRL tells whether the client certificate is revoked (issuer {emittente})"
        "Il gestore aggiunge al file tls.crl la CRL di ogni CA della catena e ricarica (SIGHUP), oppure imposta tls.crl_assente = \"accetta\"."
    }
    Tls007 "TLS-007" Porta ripetere {
        "la CRL della CA è scaduta: la revoca del certificato client non si può verificare"
        "the CA's CRL is past its next update: the client certificate's revocation cannot be checked"
        "Il gestore scarica la CRL aggiornata nel file tls.crl e ricarica (SIGHUP); per accettare nel frattempo: tls.crl_scaduta = \"accetta\"."
    }
    Tls008 "TLS-008" Porta correggere {
        "il certificato client non si può usare: {causa}"
        "the client certificate cannot be used: {causa}"
        "Serve un certificato X.509 v3 per autenticazione client (extendedKeyUsage clientAuth, o assente), con chiave RSA da 2048 bit o ECDSA P-256/P-384; la chiave privata sul client deve essere la sua."
    }
    Tls009 "TLS-009" Porta correggere {
        "il client propone solo versioni di TLS troppo vecchie"
        "the client offers only TLS versions that are too old"
        "Abilitare sul client TLS 1.2 o 1.3 (Java 8u261 o successivo, .NET 4.6.2 o successivo, OpenSSL 1.0.1 o successivo)."
    }
    Tls010 "TLS-010" Porta correggere {
        "client e server non hanno in comune suite, curve o firme: {causa}"
        "client and server share no cipher suite, group or signature scheme: {causa}"
        "Abilitare sul client TLS 1.3, oppure in TLS 1.2 una suite ECDHE con AES-GCM o ChaCha20-Poly1305 e le curve X25519, P-256 o P-384."
    }
    Tls011 "TLS-011" Porta correggere {
        "la connessione non parla TLS: {causa}"
        "the connection does not speak TLS: {causa}"
        "Usare un indirizzo che comincia con https://; fra client e questa porta nessun componente deve togliere o aggiungere TLS."
    }
    Tls012 "TLS-012" Porta ripetere {
        "l'handshake TLS non è finito entro {secondi} secondi"
        "the TLS handshake was not finished within {secondi} seconds"
        "Riprovare; se si ripete, cercare fra client e server un firewall o un proxy che trattiene i pacchetti, o un client che apre connessioni senza usarle."
    }
    Tls013 "TLS-013" Porta ripetere {
        "la connessione è stata chiusa dal client prima della fine dell'handshake"
        "the client closed the connection before the end of the handshake"
        "Se è la sonda di un bilanciatore o di un monitor, non serve fare nulla. Altrimenti guardare nel registro del client perché ha chiuso: di solito non riconosce la CA del server o non trova la propria chiave."
    }
    Tls014 "TLS-014" Porta correggere {
        "il client ha rifiutato il server: {causa}"
        "the client refused the server: {causa}"
        "Installare sul client la CA che ha emesso il certificato del server, e collegarsi con un nome presente in quel certificato (subjectAltName)."
    }
    Tls015 "TLS-015" Porta ripetere {
        "troppe connessioni aperte in tutto (limite {limite})"
        "too many open connections in all (limit {limite})"
        "Riprovare fra qualche secondo e riusare le connessioni (keep-alive); il gestore può alzare limits.connessioni_max."
    }
    Tls016 "TLS-016" Porta ripetere {
        "troppe connessioni aperte con lo stesso certificato (limite {limite})"
        "too many open connections with the same certificate (limit {limite})"
        "Riusare le connessioni (keep-alive) e limitarne il numero nel client; il gestore può alzare limits.connessioni_per_certificato_max."
    }
    Tls017 "TLS-017" Porta correggere {
        "il client non propone HTTP/1.1 (ALPN)"
        "the client does not offer HTTP/1.1 (ALPN)"
        "Lasciare che il client proponga http/1.1 nella negoziazione ALPN, o che non la usi: HTTP/2 non è servito."
    }
    Tls018 "TLS-018" Porta correggere {
        "handshake TLS non riuscito: {causa}"
        "TLS handshake failed: {causa}"
        "Il messaggio del client non rispetta TLS: aggiornare la libreria TLS del client, o cercare un componente intermedio che altera i pacchetti."
    }
    Tls019 "TLS-019" Porta correggere {
        "questa è la porta di prova: {ente} sarebbe ammesso, ma qui nessun messaggio è accolto e nulla è registrato"
        "this is the trial door: {ente} would be admitted, but no message is taken here and nothing is registered"
        "La connessione va bene: inviare i messaggi all'indirizzo del servizio ({indirizzo})."
    }
    // ── HTP: HTTP before an envelope ──
    Htp001 "HTP-001" Porta correggere {
        "richiesta HTTP non valida"
        "not a valid HTTP request"
        "Inviare HTTP/1.1 ben formato: riga di richiesta, Host, e Content-Length oppure Transfer-Encoding: chunked (mai entrambi)."
    }
    Htp002 "HTP-002" Porta correggere {
        "nessuna risorsa a questo indirizzo: {percorso}"
        "no resource at this address: {percorso}"
        "Gli indirizzi dei servizi sono /modi/soap/NomeServizio/v1/ (barra finale facoltativa), come nel WSDL che si ottiene aggiungendo ?wsdl."
    }
    Htp003 "HTP-003" Porta correggere {
        "metodo {metodo} non ammesso a questo indirizzo (ammessi: {ammessi})"
        "method {metodo} not allowed at this address (allowed: {ammessi})"
        "I messaggi SOAP si inviano con POST; WSDL e schemi si leggono con GET."
    }
    Htp004 "HTP-004" Porta ripetere {
        "la richiesta non è arrivata intera entro {secondi} secondi"
        "the request did not arrive whole within {secondi} seconds"
        "Ripetere la stessa richiesta con la stessa ChiaveInvio; se si ripete, controllare la linea e inviare messaggi più piccoli."
    }
    Htp005 "HTP-005" Porta correggere {
        "il messaggio supera {limite} byte"
        "the message exceeds {limite} bytes"
        "Ridurre gli allegati o dividere l'invio; il limite in vigore è detto dall'operazione Limiti."
    }
    Htp006 "HTP-006" Porta correggere {
        "Content-Encoding {codifica} non ammesso: il corpo va inviato non compresso"
        "Content-Encoding {codifica} not accepted: send the body uncompressed"
        "Disattivare nel client la compressione delle richieste."
    }
    Htp007 "HTP-007" Porta correggere {
        "intestazioni HTTP troppo grandi: al massimo {campi} campi e {byte} byte in tutto"
        "HTTP header section too large: at most {campi} fields and {byte} bytes in all"
        "Togliere cookie e intestazioni aggiunte da proxy: il servizio non ne usa."
    }
    Htp008 "HTP-008" Porta correggere {
        "Content-Type {tipo} non ammesso"
        "Content-Type {tipo} not accepted"
        "Usare application/soap+xml; charset=utf-8 (SOAP 1.2) oppure text/xml; charset=utf-8 (SOAP 1.1); con allegati MTOM multipart/related; type=\"application/xop+xml\". SOAP with Attachments non è ammesso."
    }
    Htp009 "HTP-009" Porta ripetere {
        "il client non legge la risposta da {secondi} secondi"
        "the client has not read the answer for {secondi} seconds"
        "Leggere le risposte appena arrivano; se la domanda era già registrata, la stessa richiesta ripetuta ne dà la ricevuta."
    }
    // ── BST: the busta e-Gov of the porte di dominio (told by its own exceptions; these are for trace and log) ──
    Bst001 "BST-001" UnprocessableRequestContent correggere {
        "nessuna busta e-Gov che si possa leggere: {motivo}"
        "no busta e-Gov that can be read: {motivo}"
        "Inviare a /PD un envelope SOAP 1.1 con una sola Intestazione di e-Gov 1.1, con Mittente, Destinatario e Messaggio una volta sola (docs/spcoop.md)."
    }
    Bst002 "BST-002" InvalidRequestContent correggere {
        "busta e-Gov non valida: {eccezioni}"
        "invalid busta e-Gov: {eccezioni}"
        "Correggere nella busta ogni elemento indicato in posizione; i codici EGOV_IT sono spiegati in docs/spcoop.md."
    }
    Bst003 "BST-003" AuthorizationDeny correggere {
        "il certificato presentato non è del Mittente {mittente}"
        "the certificate presented is not that of Mittente {mittente}"
        "La porta di dominio deve presentare il certificato comunicato all'adesione per quel Mittente; se ne usa un altro, il gestore lo aggiunge all'ente in adesioni.toml."
    }
    Bst004 "BST-004" Conflict correggere {
        "una busta con lo stesso Identificatore è già stata accolta"
        "a busta with the same Identificatore was accepted before"
        "Se la risposta è andata persa, inviare di nuovo la stessa domanda con la stessa ChiaveInvio in una busta con un Identificatore nuovo: la ricevuta è quella di allora."
    }
    Bst005 "BST-005" ContentTypeNotSupported correggere {
        "richiesta HTTP non di una porta di dominio: {motivo}"
        "HTTP request of no porta di dominio: {motivo}"
        "Inviare a /PD con POST, Content-Type text/xml (con allegati multipart/related; type=\"text/xml\") e l'intestazione SOAPAction, anche vuota."
    }
    Bst006 "BST-006" SoapMustUnderstandUnknown correggere {
        "un blocco per le porte di dominio con mustUnderstand=\"1\" non è compreso"
        "a header block for porte di dominio with mustUnderstand=\"1\" is not understood"
        "Togliere il blocco, o mustUnderstand: oltre all'Intestazione di e-Gov non se ne usa nessun altro."
    }
    Bst007 "BST-007" UndefinedOperation correggere {
        "l'Azione della busta è {azione}, il Body chiede {operazione}"
        "the Azione of the busta is {azione}, the Body asks for {operazione}"
        "Scrivere in Azione il nome dell'operazione che sta nel Body, senza «Request»."
    }
    // ── ENV: XML and envelope ──
    Env001 "ENV-001" UnprocessableRequestContent correggere {
        "il messaggio è vuoto"
        "the message is empty"
        "Inviare nel corpo della POST una busta SOAP 1.2 (o 1.1): un documento XML in UTF-8."
    }
    Env002 "ENV-002" UnprocessableRequestContent correggere {
        "il messaggio finisce {dove}"
        "the message ends too early"
        "Il messaggio è stato troncato: controllare Content-Length e che il programma invii tutto il documento, fino alla chiusura della busta."
    }
    Env003 "ENV-003" UnprocessableRequestContent correggere {
        "codifica {codifica} non ammessa: solo UTF-8"
        "encoding {codifica} is not accepted: UTF-8 only"
        "Scrivere il documento in UTF-8 (con o senza BOM) e dichiarare encoding=\"UTF-8\" o nulla."
    }
    Env004 "ENV-004" UnprocessableRequestContent correggere {
        "byte {byte} non valido in UTF-8"
        "byte {byte} is not valid UTF-8"
        "Il documento è dichiarato UTF-8 ma contiene byte di un'altra codifica (spesso ISO-8859-1 o Windows-1252, nelle lettere accentate): convertirlo in UTF-8."
    }
    Env005 "ENV-005" UnprocessableRequestContent correggere {
        "carattere {carattere} non ammesso in XML"
        "character {carattere} is not allowed in XML"
        "Togliere il carattere di controllo dal testo: in XML non può stare, nemmeno come riferimento."
    }
    Env006 "ENV-006" UnprocessableRequestContent correggere {
        "DOCTYPE non ammesso"
        "DOCTYPE is not accepted"
        "Togliere la dichiarazione <!DOCTYPE …>: un messaggio SOAP non ne ha."
    }
    Env007 "ENV-007" UnprocessableRequestContent correggere {
        "istruzione di elaborazione <?…?> non ammessa"
        "processing instruction <?…?> is not accepted"
        "Togliere l'istruzione di elaborazione (per esempio <?xml-stylesheet …?>): un messaggio SOAP non ne ha."
    }
    Env008 "ENV-008" UnprocessableRequestContent correggere {
        "dichiarazione XML errata o fuori posto"
        "the XML declaration is wrong or out of place"
        "Se c'è, la dichiarazione è la prima cosa del documento, una sola volta: <?xml version=\"1.0\" encoding=\"UTF-8\"?>."
    }
    Env009 "ENV-009" UnprocessableRequestContent correggere {
        "XML non ben formato: {motivo}"
        "XML is not well-formed here"
        "Un < nel testo si scrive &lt;. Produrre l'XML con una libreria, non unendo stringhe."
    }
    Env010 "ENV-010" UnprocessableRequestContent correggere {
        "chiusura errata: atteso </{atteso}>, trovato </{trovato}>"
        "wrong end tag: expected </{atteso}>, found </{trovato}>"
        "Ogni elemento si chiude con il proprio nome, nell'ordine inverso di apertura."
    }
    Env011 "ENV-011" UnprocessableRequestContent correggere {
        "nome non valido in XML: {nome}"
        "not a valid XML name: {nome}"
        "Un nome comincia con una lettera o _, prosegue con lettere, cifre, . - _ e ha al più un prefisso."
    }
    Env012 "ENV-012" UnprocessableRequestContent correggere {
        "prefisso {prefisso} non dichiarato"
        "prefix {prefisso} is not declared"
        "Dichiarare il prefisso con xmlns:{prefisso}=\"…\" sull'elemento o su uno che lo contiene."
    }
    Env013 "ENV-013" UnprocessableRequestContent correggere {
        "dichiarazione di namespace errata: {motivo}"
        "this namespace declaration is not allowed"
        "Correggere la dichiarazione xmlns secondo \"Namespaces in XML 1.0\"."
    }
    Env014 "ENV-014" UnprocessableRequestContent correggere {
        "attributo {attributo} ripetuto"
        "attribute {attributo} is repeated"
        "Un elemento porta ogni attributo una sola volta, anche attraverso prefissi diversi dello stesso namespace."
    }
    Env015 "ENV-015" UnprocessableRequestContent correggere {
        "tag scritto male: {motivo}"
        "malformed tag or attribute"
        "Un attributo si scrive nome=\"valore\", preceduto da uno spazio; nel valore < si scrive &lt; e & si scrive &amp;."
    }
    Env016 "ENV-016" UnprocessableRequestContent correggere {
        "riferimento {riferimento} non valido"
        "reference {riferimento} is not valid"
        "Una & nel testo si scrive &amp;. Sono ammessi solo &amp; &lt; &gt; &apos; &quot; e i riferimenti numerici a caratteri leciti."
    }
    Env017 "ENV-017" UnprocessableRequestContent correggere {
        "sequenza ]]> nel testo"
        "the sequence ]]> stands in text"
        "Nel testo ]]> si scrive ]]&gt;."
    }
    Env018 "ENV-018" UnprocessableRequestContent correggere {
        "commento scritto male: -- dentro il commento"
        "malformed comment: -- inside it"
        "Togliere il commento, o i due trattini al suo interno."
    }
    Env019 "ENV-019" UnprocessableRequestContent correggere {
        "contenuto fuori dall'elemento radice"
        "content outside the root element"
        "Il corpo della richiesta è un solo documento XML: niente prima della busta e niente dopo la sua chiusura."
    }
    Env020 "ENV-020" RequestSizeExceeded correggere {
        "più di {limite} elementi uno dentro l'altro (depth_max)"
        "more than {limite} nested elements (depth_max)"
        "Nessun messaggio del contratto è così profondo: controllare come è composto."
    }
    Env021 "ENV-021" RequestSizeExceeded correggere {
        "più di {limite} attributi su un elemento (attributes_max)"
        "more than {limite} attributes on one element (attributes_max)"
        "Togliere gli attributi e le dichiarazioni xmlns che non servono."
    }
    Env022 "ENV-022" RequestSizeExceeded correggere {
        "più di {limite} dichiarazioni di namespace in vigore (bindings_max)"
        "more than {limite} namespace declarations in scope (bindings_max)"
        "Dichiarare ogni namespace una volta sola, sulla busta o sul corpo."
    }
    Env023 "ENV-023" RequestSizeExceeded correggere {
        "nome più lungo di {limite} byte (name_bytes_max)"
        "a name is longer than {limite} bytes (name_bytes_max)"
        "I nomi sono quelli del contratto: nessuno è così lungo."
    }
    Env024 "ENV-024" RequestSizeExceeded correggere {
        "valore dell'attributo {attributo} più lungo di {limite} byte (attribute_value_bytes_max)"
        "the value of attribute {attributo} is longer than {limite} bytes (attribute_value_bytes_max)"
        "I dati della domanda stanno negli elementi, non negli attributi."
    }
    Env025 "ENV-025" RequestSizeExceeded correggere {
        "testo dell'elemento {elemento} più lungo di {limite} byte (text_bytes_max)"
        "the text of element {elemento} is longer than {limite} bytes (text_bytes_max)"
        "Solo il contenuto di un allegato può essere così lungo: il limite è detto anche dall'operazione Limiti."
    }
    Env026 "ENV-026" RequestSizeExceeded correggere {
        "più di {limite} elementi nel messaggio (elements_max)"
        "more than {limite} elements in the message (elements_max)"
        "Dividere l'invio in più messaggi: il limite è detto anche dall'operazione Limiti."
    }
    Env027 "ENV-027" RequestSizeExceeded correggere {
        "più di {limite} blocchi nell'intestazione (header_blocks_max)"
        "more than {limite} header blocks (header_blocks_max)"
        "Bastano Identity e, se servono, i blocchi WS-Addressing: togliere gli altri."
    }
    Env028 "ENV-028" RequestSizeExceeded correggere {
        "il corpo della busta non comincia entro i primi {limite} byte (envelope_head_bytes_max)"
        "the envelope's body does not begin within the first {limite} bytes (envelope_head_bytes_max)"
        "Ridurre l'intestazione, i commenti e gli spazi che precedono il corpo: i dati stanno nel Body."
    }
    Env040 "ENV-040" SoapVersionMismatch correggere {
        "versione SOAP sconosciuta: trovato {trovato}"
        "unknown SOAP version: found {trovato}"
        "Usare la busta SOAP 1.2 (http://www.w3.org/2003/05/soap-envelope) o SOAP 1.1 (http://schemas.xmlsoap.org/soap/envelope/)."
    }
    Env041 "ENV-041" InvalidRequestContent correggere {
        "il messaggio non è una busta SOAP: atteso {atteso}, trovato {trovato}"
        "the message is no SOAP envelope: expected {atteso}, found {trovato}"
        "Mettere la richiesta nel Body di una busta SOAP 1.2, con l'intestazione Identity: si veda il WSDL del servizio (?wsdl)."
    }
    Env042 "ENV-042" InvalidRequestContent correggere {
        "Header ripetuto o dopo il Body"
        "Header repeated or after the Body"
        "La busta ha al più un Header, prima del Body."
    }
    Env043 "ENV-043" InvalidRequestContent correggere {
        "elemento inatteso nella busta: atteso {atteso}, trovato {trovato}"
        "unexpected element in the envelope: expected {atteso}, found {trovato}"
        "La busta contiene solo Header e Body, tutti e due nel namespace della busta stessa."
    }
    Env044 "ENV-044" InvalidRequestContent correggere {
        "la busta non ha Body"
        "the envelope has no Body"
        "Aggiungere il Body con l'elemento dell'operazione."
    }
    Env045 "ENV-045" InvalidRequestContent correggere {
        "il Body è vuoto"
        "the Body is empty"
        "Il Body contiene l'elemento dell'operazione, per esempio InviaDomanda, nel namespace del servizio."
    }
    Env046 "ENV-046" InvalidRequestContent correggere {
        "testo fuori posto nella busta"
        "text out of place in the envelope"
        "Fra gli elementi della busta (Envelope, Header, Body) possono stare solo spazi e commenti."
    }
    Env047 "ENV-047" InvalidRequestContent correggere {
        "il Body ha più di un elemento: trovato anche {trovato}"
        "the Body has more than one element: found {trovato} as well"
        "Una busta porta una sola operazione: inviare una busta per ogni richiesta."
    }
    Env048 "ENV-048" InvalidRequestContent correggere {
        "elemento dopo il Body: {trovato}"
        "element after the Body: {trovato}"
        "Dopo il Body la busta si chiude."
    }
    Env049 "ENV-049" SoapMustUnderstandUnknown correggere {
        "intestazioni con mustUnderstand non comprese: {blocchi}"
        "header blocks with mustUnderstand are not understood: {blocchi}"
        "Togliere il blocco, o mettere mustUnderstand a false (0): con WS-Security, la firma non è verificata da questo servizio."
    }
    Env050 "ENV-050" InvalidRequestContent correggere {
        "mustUnderstand di {blocco} non valido: {valore}"
        "mustUnderstand of {blocco} is not valid: {valore}"
        "mustUnderstand vale 1 o 0 (true o false), o si omette."
    }
    Env051 "ENV-051" UndefinedOperation correggere {
        "operazione nel namespace sbagliato: atteso {atteso}, trovato {trovato}"
        "operation in the wrong namespace: expected {atteso}, found {trovato}"
        "L'elemento nel Body sta nel namespace del servizio chiamato, {namespace}: controllare anche l'indirizzo a cui si invia."
    }
    Env052 "ENV-052" UndefinedOperation correggere {
        "operazione sconosciuta: {trovato}"
        "unknown operation: {trovato}"
        "Le operazioni del servizio sono: {operazioni}, nel namespace {namespace}."
    }
    // ── IDN: Identity ──
    Idn001 "IDN-001" InvalidRequestContent correggere {
        "intestazione Identity assente: atteso {atteso}, trovato {trovato}"
        "header Identity is missing: expected {atteso}"
        "Aggiungere nell'Header <inps:Identity xmlns:inps=\"http://inps.it/\"><UserId>…</UserId><CodiceUfficio>…</CodiceUfficio></inps:Identity>, con UserId e CodiceUfficio senza namespace."
    }
    Idn002 "IDN-002" InvalidRequestContent correggere {
        "header Identity: {campo} {difetto}"
        "header Identity: {campo} missing or blank"
        "UserId e CodiceUfficio sono sempre obbligatori e non vuoti; chi non ha uffici invia CodiceUfficio 001."
    }
    Idn003 "IDN-003" InvalidRequestContent correggere {
        "header Identity ambiguo: {motivo}"
        "header Identity is ambiguous: repeated or contradictory"
        "Inviare una sola intestazione Identity, con un solo UserId e un solo CodiceUfficio."
    }
    Idn004 "IDN-004" InvalidRequestContent correggere {
        "header Identity: {campo} non valido: {motivo}"
        "header Identity: {campo} does not have the right shape"
        "UserId: codice fiscale o nome utente dell'operatore, da 1 a 64 caratteri. CodiceUfficio: da 1 a 16 caratteri fra lettere, cifre e . _ - /; gli zeri iniziali contano."
    }
    Idn005 "IDN-005" InvalidRequestContent correggere {
        "header Identity in forma non canonica: {forma}"
        "header Identity is not in the published form: {forma}"
        "Usare la forma pubblicata: <inps:Identity xmlns:inps=\"http://inps.it/\"> con i due soli figli UserId e CodiceUfficio, in quest'ordine e senza namespace."
    }
    Idn101 "IDN-101" Avviso correggere {
        "header Identity letto in forma non canonica: {forma}"
        "header Identity was read in a form that is not the published one: {forma}"
        "Funziona, ma conviene passare alla forma pubblicata: <inps:Identity xmlns:inps=\"http://inps.it/\"> con i figli UserId e CodiceUfficio, in quest'ordine e senza namespace."
    }
    // ── ACC: access ──
    Acc001 "ACC-001" AuthorizationDeny correggere {
        "il certificato presentato non appartiene a nessun ente aderente (soggetto {soggetto}, seriale {seriale})"
        "the certificate presented belongs to no ente that has joined (subject {soggetto}, serial {seriale})"
        "Usare il certificato comunicato all'adesione; se è stato rinnovato, comunicare al gestore quello nuovo."
    }
    Acc002 "ACC-002" AuthorizationDeny ripetere {
        "l'ente {ente} è sospeso"
        "ente {ente} is suspended"
        "Contattare il gestore del servizio: gli invii riprendono quando l'ente torna attivo."
    }
    Acc003 "ACC-003" AuthorizationDeny correggere {
        "ufficio {ufficio} non abilitato per il certificato presentato"
        "ufficio {ufficio} is not enabled for the certificate presented"
        "Indicare in Identity/CodiceUfficio un ufficio dell'ente, con gli eventuali zeri iniziali; per abilitarne uno nuovo rivolgersi al gestore."
    }
    Acc004 "ACC-004" AuthorizationDeny correggere {
        "indirizzo {indirizzo} non abilitato per l'ente {ente}"
        "address {indirizzo} is not enabled for ente {ente}"
        "Inviare da un indirizzo comunicato all'adesione, o comunicare al gestore quello nuovo (conta l'indirizzo pubblico d'uscita)."
    }
    Acc005 "ACC-005" AuthorizationDeny correggere {
        "servizio {servizio} non concesso all'ente {ente}"
        "service {servizio} is not granted to ente {ente}"
        "Chiedere al gestore l'estensione dell'adesione a questo servizio."
    }
    Acc006 "ACC-006" AuthorizationDeny correggere {
        "operazione {operazione} del servizio {servizio} non concessa all'ente {ente}"
        "operation {operazione} of service {servizio} is not granted to ente {ente}"
        "Chiedere al gestore l'estensione dell'adesione a questa operazione."
    }
    Acc007 "ACC-007" LimitExceeded ripetere {
        "quota superata: al massimo {quota} richieste al minuto per l'ente {ente}"
        "quota exceeded: at most {quota} requests a minute for ente {ente}"
        "Riprovare dopo i secondi di Retry-After; la quota residua è detta dall'operazione Limiti."
    }
    Acc008 "ACC-008" AuthorizationDeny correggere {
        "il certificato presentato non è più accettato: {causa}"
        "the certificate presented is no longer accepted: {causa}"
        "Chiudere la connessione e riaprirla con il certificato valido dell'ente."
    }
    Acc009 "ACC-009" APIUnavailable ripetere {
        "troppi messaggi in corso di ricezione"
        "too many messages are being received"
        "Riprovare con la stessa ChiaveInvio dopo i secondi di Retry-After."
    }
    // ── RPL: replay ──
    Rpl001 "RPL-001" Conflict correggere {
        "la ChiaveInvio è già stata usata per un altro contenuto, registrato con protocollo {protocollo}"
        "this ChiaveInvio was already used for other content, registered as {protocollo}"
        "Per una domanda diversa usare una ChiaveInvio nuova; per rivedere la prima chiedere la ricevuta con ConsultaDomanda o ScaricaRicevuta."
    }
    Rpl002 "RPL-002" Conflict correggere {
        "la ChiaveInvio è già stata usata per il lotto {lotto}"
        "this ChiaveInvio was already used for the lot {lotto}"
        "Usare una ChiaveInvio nuova: domande, atti e lotti di un Ente hanno ciascuno la propria; l'esito del lotto si chiede con StatoLotto ed EsitoLotto."
    }
    // ── XSD: form ──
    Xsd001 "XSD-001" InvalidRequestContent correggere {
        "manca l'elemento obbligatorio {elemento}, {posto}"
        "the required element {elemento} is missing {place}"
        "Aggiungere {elemento} {posto}: l'ordine degli elementi conta."
    }
    Xsd002 "XSD-002" InvalidRequestContent correggere {
        "l'elemento {elemento} non è previsto qui; atteso: {atteso}"
        "the element {elemento} is not expected here; expected: {expected}"
        "Togliere {elemento} o correggerne il nome: vale come nello schema, maiuscole comprese."
    }
    Xsd003 "XSD-003" InvalidRequestContent correggere {
        "l'elemento {elemento} è nel namespace «{trovato_namespace}»; atteso {atteso}, nel namespace «{atteso_namespace}»"
        "the element {elemento} is in the namespace \"{trovato_namespace}\"; expected {expected}, in the namespace \"{atteso_namespace}\""
        "Scrivere l'elemento nel namespace «{atteso_namespace}», con il suo prefisso o con xmlns: ogni elemento del corpo è qualificato."
    }
    Xsd004 "XSD-004" InvalidRequestContent correggere {
        "l'elemento {elemento} è fuori posto: va {posto}"
        "the element {elemento} is out of place: it goes {place}"
        "Spostare {elemento} {posto}: l'ordine degli elementi è quello dello schema."
    }
    Xsd005 "XSD-005" InvalidRequestContent correggere {
        "troppi elementi {elemento}: al più {massimo}"
        "too many elements {elemento}: at most {massimo}"
        "Togliere gli elementi {elemento} oltre il numero ammesso ({massimo})."
    }
    Xsd006 "XSD-006" InvalidRequestContent correggere {
        "manca uno tra {alternative}, {posto}"
        "one of {alternative} is missing {place}"
        "Aggiungere uno, e uno solo, tra {alternative}, {posto}."
    }
    Xsd007 "XSD-007" InvalidRequestContent correggere {
        "{elemento} non può stare insieme a {altro}: è ammesso uno solo tra {alternative}"
        "{elemento} cannot stand together with {altro}: only one of {alternative} is allowed"
        "Lasciare uno solo tra {alternative}."
    }
    Xsd010 "XSD-010" InvalidRequestContent correggere {
        "il valore di {elemento} non ha la forma richiesta: {forma}{trovato}"
        "the value of {elemento} has not the required form: {form}{found}"
        "Scrivere in {elemento} {forma}."
    }
    Xsd011 "XSD-011" InvalidRequestContent correggere {
        "il valore di {elemento} non è tra quelli ammessi: {forma}{trovato}"
        "the value of {elemento} is not an allowed one: {form}{found}"
        "Usare {forma}, scritto esattamente così, maiuscole comprese."
    }
    Xsd012 "XSD-012" InvalidRequestContent correggere {
        "il valore di {elemento} è troppo lungo: {lunghezza} caratteri, al più {limite}"
        "the value of {elemento} is too long: {lunghezza} characters, at most {limite}"
        "Abbreviare il valore di {elemento}: {forma}."
    }
    Xsd013 "XSD-013" InvalidRequestContent correggere {
        "il valore di {elemento} è troppo corto: {lunghezza} caratteri, almeno {limite}"
        "the value of {elemento} is too short: {lunghezza} characters, at least {limite}"
        "Completare il valore di {elemento}: {forma}."
    }
    Xsd014 "XSD-014" InvalidRequestContent correggere {
        "il valore di {elemento} è lungo {lunghezza} caratteri invece di {limite}"
        "the value of {elemento} has {lunghezza} characters instead of {limite}"
        "Correggere il valore di {elemento}: {forma}."
    }
    Xsd015 "XSD-015" InvalidRequestContent correggere {
        "il valore di {elemento} è fuori dall'intervallo ammesso: {forma}{trovato}"
        "the value of {elemento} is out of range: {form}{found}"
        "Scrivere in {elemento} {forma}."
    }
    Xsd016 "XSD-016" InvalidRequestContent correggere {
        "il valore di {elemento} non è del tipo richiesto: {forma}{trovato}"
        "the value of {elemento} is not of the required type: {form}{found}"
        "Scrivere in {elemento} {forma}."
    }
    Xsd017 "XSD-017" InvalidRequestContent correggere {
        "l'elemento {elemento} è vuoto; atteso {forma}"
        "the element {elemento} is empty; expected {form}"
        "Scrivere il valore di {elemento}; se il dato non c'è e l'elemento è facoltativo, togliere l'elemento intero."
    }
    Xsd020 "XSD-020" InvalidRequestContent correggere {
        "l'elemento {elemento} contiene testo, ma può contenere solo i suoi elementi"
        "the element {elemento} contains text, but may contain only its elements"
        "Togliere il testo da {elemento}; se l'elemento non ha contenuto, scriverlo vuoto e senza spazi."
    }
    Xsd021 "XSD-021" InvalidRequestContent correggere {
        "l'elemento {elemento} contiene un valore, non altri elementi: trovato {figlio}"
        "the element {elemento} holds a value, not other elements: found {figlio}"
        "Togliere {figlio} da {elemento} e scrivere il valore come testo; i caratteri < e & si scrivono &lt; e &amp;."
    }
    Xsd030 "XSD-030" InvalidRequestContent correggere {
        "l'elemento {elemento} non ha un attributo {attributo}"
        "the element {elemento} has no attribute {attributo}"
        "Togliere l'attributo {attributo} da {elemento}."
    }
    Xsd031 "XSD-031" InvalidRequestContent correggere {
        "manca l'attributo obbligatorio {attributo}"
        "the required attribute {attributo} is missing"
        "Aggiungere l'attributo {attributo}."
    }
    Xsd032 "XSD-032" InvalidRequestContent correggere {
        "il valore dell'attributo {attributo} di {elemento} non è ammesso"
        "the value of the attribute {attributo} of {elemento} is not allowed"
        "Correggere l'attributo {attributo}, o toglierlo se è facoltativo."
    }
    Xsd033 "XSD-033" InvalidRequestContent correggere {
        "l'attributo {attributo} non è ammesso su {elemento}"
        "the attribute {attributo} is not allowed on {elemento}"
        "Togliere l'attributo {attributo}: un dato facoltativo che non c'è si omette con il suo elemento, e il tipo è quello dello schema."
    }
    Xsd040 "XSD-040" InvalidRequestContent correggere {
        "{elemento} ripete un valore di {campo} già presente: ogni {elemento} ne ha uno diverso"
        "{elemento} repeats a value of {campo} that is already there: each {elemento} has a different one"
        "Togliere {elemento} ripetuto o correggere il suo {campo}."
    }
    Xsd050 "XSD-050" InvalidRequestContent correggere {
        "il documento comincia con l'elemento {elemento}, che non è di nessun servizio"
        "the document begins with the element {elemento}, which belongs to no service"
        "Il documento è una Domanda, una richiesta di un servizio o una busta SOAP che la contiene: controllare il nome e il namespace del primo elemento."
    }
    Xsd099 "XSD-099" InvalidRequestContent correggere {
        "il contenuto non è valido secondo lo schema (regola {vincolo})"
        "the content is not valid against the schema (rule {vincolo})"
        "Confrontare l'elemento indicato con lo schema pubblicato (?xsd=); se sembra giusto, segnalarlo all'assistenza con l'identificativo del messaggio."
    }
    // ── CF, IBN: identifiers ──
    Cf001 "CF-001" Regola correggere {
        "codice fiscale di forma errata"
        "malformed codice fiscale"
        "Inviare sedici caratteri maiuscoli, come sulla tessera sanitaria, o le undici cifre del codice provvisorio, senza spazi."
    }
    Cf002 "CF-002" Regola correggere {
        "codice fiscale con carattere di controllo errato"
        "codice fiscale with a wrong check character"
        "Almeno un carattere è sbagliato: ricopiare il codice dalla tessera sanitaria o dal certificato di attribuzione."
    }
    Cf003 "CF-003" Regola correggere {
        "codice fiscale con una data di nascita che non esiste"
        "codice fiscale with a date of birth that does not exist"
        "Verificare anno, mese e giorno (caratteri da 7 a 11): il giorno va da 1 a 31, o da 41 a 71 per le donne; il 29 febbraio solo negli anni bisestili."
    }
    Cf004 "CF-004" Regola correggere {
        "manca DataNascita: il codice fiscale del figlio è provvisorio e non la contiene"
        "DataNascita is missing: the child's codice fiscale is provisional and does not tell it"
        "Aggiungere DataNascita dopo CodiceFiscale, oppure inviare il codice fiscale definitivo di sedici caratteri."
    }
    Cf005 "CF-005" Regola correggere {
        "DataNascita diversa dalla data contenuta nel codice fiscale del figlio"
        "DataNascita differs from the date in the child's codice fiscale"
        "Correggere quello dei due che è sbagliato; con un codice fiscale di sedici caratteri DataNascita si può omettere."
    }
    Cf006 "CF-006" Regola correggere {
        "DataNascita successiva alla presentazione della domanda"
        "DataNascita is later than the presentation of the domanda"
        "Correggere la data: la domanda si presenta solo per figli già nati."
    }
    Cf101 "CF-101" Avviso correggere {
        "codice fiscale provvisorio"
        "provisional codice fiscale"
        "La domanda è accettata; quando l'Agenzia delle Entrate attribuisce il codice definitivo, comunicarlo all'INPS."
    }
    Ibn001 "IBN-001" Regola correggere {
        "IBAN di forma errata: attesa {atteso}"
        "malformed IBAN: {atteso} expected"
        "Ricopiare l'IBAN per intero, maiuscolo e senza spazi: lunghezza e struttura dipendono dal paese (n cifre, a lettere, c cifre o lettere)."
    }
    Ibn002 "IBN-002" Regola correggere {
        "IBAN con cifre di controllo errate"
        "IBAN with wrong check digits"
        "Almeno un carattere è sbagliato: ricopiare l'IBAN dal documento della banca o della posta."
    }
    Ibn003 "IBN-003" Regola correggere {
        "IBAN con CIN errato"
        "IBAN with a wrong CIN"
        "La lettera prima dell'ABI non corrisponde ad ABI, CAB e conto: ricopiare l'IBAN dal documento della banca o della posta."
    }
    Ibn004 "IBN-004" Regola correggere {
        "IBAN di un paese fuori dall'area SEPA: {paese}"
        "IBAN of a country outside SEPA: {paese}"
        "Indicare un conto in Italia o in un altro paese dell'area SEPA, oppure un pagamento senza IBAN (BD, CONTANTE_POSTE)."
    }
    Ibn005 "IBN-005" Regola correggere {
        "IBAN non ammesso con la modalità {modalita}"
        "IBAN not allowed with modality {modalita}"
        "CC, LP e CP vogliono un IBAN italiano, ES l'IBAN di un altro paese SEPA (anche San Marino), BD e CONTANTE_POSTE nessun IBAN: correggere Modalita o Iban."
    }
    Ibn006 "IBN-006" Regola correggere {
        "manca l'IBAN, obbligatorio con la modalità {modalita}"
        "the IBAN is missing: modality {modalita} needs it"
        "Aggiungere Iban e a chi è intestato dopo Modalita, oppure scegliere un pagamento senza IBAN (BD, CONTANTE_POSTE)."
    }
    Ibn007 "IBN-007" Regola correggere {
        "manca IntestatoRichiedente, obbligatorio con l'IBAN"
        "IntestatoRichiedente is missing: it goes with the IBAN"
        "Aggiungere IntestatoRichiedente dopo Iban: true se il conto è del richiedente, anche cointestato."
    }
    Ibn008 "IBN-008" Regola correggere {
        "il conto non è intestato al richiedente"
        "the account is not the applicant's"
        "Indicare un conto del richiedente, anche cointestato, o il bonifico domiciliato (BD). Solo il tutore che chiede per i soli minori tutelati può indicare il conto di questi."
    }
    Ibn009 "IBN-009" Regola correggere {
        "IntestatoRichiedente senza IBAN, con la modalità {modalita}"
        "IntestatoRichiedente without an IBAN, with modality {modalita}"
        "Togliere IntestatoRichiedente, oppure indicare una modalità con IBAN."
    }
    Ibn101 "IBN-101" Avviso correggere {
        "libretto postale con un IBAN che non è di Poste (ABI 07601)"
        "postal savings book with an IBAN that is not of Poste (ABI 07601)"
        "La domanda è accettata; verificare che la modalità sia LP e non CC o CP."
    }
    // ── FIN: windows · DIC: declarations · ALL: attachments ──
    Fin001 "FIN-001" Regola correggere {
        "domanda presentata fuori dal periodo: {periodo}"
        "domanda presented outside its period: {period}"
        "{rimedio}"
    }
    Fin101 "FIN-101" Avviso correggere {
        "domanda presentata fuori dal periodo {periodo}: in produzione sarebbe rifiutata (FIN-001)"
        "domanda presented outside its period {period}: in produzione it would be refused (FIN-001)"
        "Nessuna azione: fuori produzione il periodo non è vincolante."
    }
    Fin102 "FIN-102" Avviso correggere {
        "la misura è terminata il {fine}: la ricevuta non porta decorrenza, e in produzione la domanda sarebbe rifiutata (FIN-001)"
        "the measure ended on {fine}: the receipt tells no first month, and in produzione the domanda would be refused (FIN-001)"
        "Nessuna azione fuori produzione; per vedere la decorrenza spostare l'orologio di prova (orologio.inizio) nel periodo {periodo}."
    }
    Dic001 "DIC-001" Regola correggere {
        "dichiarazione {codice} mancante o non resa: «{testo}»"
        "declaration {codice} missing or false: «{testo}»"
        "{rimedio}"
    }
    Dic002 "DIC-002" Regola correggere {
        "Scelta {scelta} non ammessa per la dichiarazione {codice}"
        "Scelta {scelta} is not allowed for declaration {codice}"
        "Sono ammesse {ammesse}; per le altre dichiarazioni togliere Scelta."
    }
    All001 "ALL-001" Regola correggere {
        "l'impronta dichiarata non è quella del documento allegato"
        "the imprint told is not that of the document attached"
        "Calcolare SHA-256 sui byte del documento prima della codifica base64, in 64 cifre esadecimali minuscole; Impronta si può omettere."
    }
    All002 "ALL-002" Regola correggere {
        "documento allegato oltre {massimo} byte"
        "attached document over {massimo} bytes"
        "Ridurre il documento (risoluzione, bianco e nero) o dividerlo in più allegati."
    }
    All003 "ALL-003" Regola correggere {
        "documento allegato vuoto"
        "attached document is empty"
        "Inviare il documento in Contenuto, oppure togliere l'allegato."
    }
    All004 "ALL-004" Regola correggere {
        "il documento è dichiarato {dichiarato}, ma i suoi byte sono {sembra}"
        "the document is said to be {dichiarato}, but its bytes are another thing: {sembra}"
        "Indicare il TipoMime vero, o inviare il documento intero nel formato indicato: PDF, JPEG, TIFF o busta P7M. Cambiare il nome di un file non ne cambia il formato."
    }
    All005 "ALL-005" Regola correggere {
        "NomeFile {motivo} (per {tipo} serve .{estensioni})"
        "NomeFile is not that of a {tipo} (.{estensioni}): {motivo}"
        "Indicare il nome del file senza cartelle, con la sola estensione del suo formato; un documento firmato può essere .pdf.p7m."
    }
    All101 "ALL-101" Avviso correggere {
        "conto fuori dall'Italia ({paese}) senza il modulo Financial Identification SEPA"
        "account outside Italy ({paese}) without the Financial Identification SEPA form"
        "La domanda è accettata, ma resterà in evidenza finché il modulo non arriva: allegarlo compilato, firmato e convalidato dalla banca (FINANCIAL_IDENTIFICATION_SEPA)."
    }
    // ── PAT: the patronato's block, shared by all prestazioni ──
    Pat001 "PAT-001" Regola correggere {
        "Patronato/Codice non è quello dell'ente del certificato: {ente}"
        "Patronato/Codice is not that of the certificate's ente: {ente}"
        "Indicare in Patronato/Codice il codice dell'ente che invia, oppure inviare con il certificato dell'ente indicato."
    }
    Pat002 "PAT-002" Regola correggere {
        "Patronato/Ufficio non è il CodiceUfficio di Identity: {ufficio}"
        "Patronato/Ufficio is not the CodiceUfficio of Identity: {ufficio}"
        "Scrivere lo stesso ufficio in Identity e nella domanda; gli zeri iniziali contano."
    }
    Pat003 "PAT-003" Regola correggere {
        "Operatore non è lo UserId di Identity"
        "Operatore is not the UserId of Identity"
        "Scrivere lo stesso operatore in Identity e nella domanda, con le stesse maiuscole."
    }
    Pat004 "PAT-004" Regola correggere {
        "data del mandato successiva alla presentazione ({presentazione})"
        "date of the mandate later than the presentation ({presentazione})"
        "Indicare la data in cui il mandato è stato firmato: precede la domanda o ne ha la stessa data."
    }
    Pat005 "PAT-005" Regola correggere {
        "data non plausibile: anno prima del 1900 o dopo il 2999"
        "implausible date: year before 1900 or after 2999"
        "Correggere l'anno: quattro cifre, come in 2021-07-01."
    }
    // ── AT: Assegno Temporaneo ──
    At001 "AT-001" Regola correggere {
        "ripartizione META_ENTRAMBI ammessa solo in affido condiviso e con il codice fiscale dell'altro genitore"
        "META_ENTRAMBI is allowed only in shared custody and with the other parent's codice fiscale"
        "Se il giudice ha disposto l'affido condiviso inviare AffidoCondiviso true e AltroGenitore/CodiceFiscale; altrimenti INTERO_RICHIEDENTE."
    }
    At003 "AT-003" Regola correggere {
        "con Qualita TUTORE_MINORE l'assegno va per intero al richiedente e non c'è affido condiviso"
        "with Qualita TUTORE_MINORE the whole sum goes to the applicant and there is no shared custody"
        "Inviare AffidoCondiviso false e Ripartizione INTERO_RICHIEDENTE, oppure correggere Qualita."
    }
    At006 "AT-006" Regola correggere {
        "per il minore c'è già una scheda in stato {stato}"
        "the child already has a sheet in state {stato}"
        "La domanda si invia una sola volta per ciascun minore: togliere questo minore. Se la scheda è del proprio patronato si trova con ConsultaDomanda."
    }
    At010 "AT-010" Regola correggere {
        "il figlio ha già compiuto 18 anni alla presentazione della domanda"
        "the child had already turned 18 when the domanda was presented"
        "L'assegno temporaneo spetta per i minori di 18 anni: togliere il minore, o correggerne il codice fiscale se l'età è sbagliata."
    }
    At011 "AT-011" Regola correggere {
        "minore già presente nella domanda, al posto {primo}"
        "child already in this domanda, at place {primo}"
        "Una scheda per ciascun minore: togliere la seconda, o correggerne il codice fiscale."
    }
    At012 "AT-012" Regola correggere {
        "il codice fiscale del minore è quello del richiedente o del genitore tutelato"
        "the child's codice fiscale is that of the applicant or of the parent under tutelage"
        "Indicare il codice fiscale del minore."
    }
    At013 "AT-013" Regola correggere {
        "il codice fiscale dell'altro genitore è quello del minore"
        "the other parent's codice fiscale is the child's"
        "Indicare il codice fiscale dell'altro genitore, oppure AltroGenitoreAssente."
    }
    At014 "AT-014" Regola correggere {
        "il codice fiscale dell'altro genitore è quello del richiedente o del genitore tutelato"
        "the other parent's codice fiscale is that of the applicant or of the parent under tutelage"
        "Indicare il codice fiscale dell'altro genitore, oppure AltroGenitoreAssente."
    }
    At015 "AT-015" Regola correggere {
        "GenitoreTutelato va indicato se e solo se PresentataDa è TUTORE_DEL_GENITORE"
        "GenitoreTutelato is needed if and only if PresentataDa is TUTORE_DEL_GENITORE"
        "Aggiungere o togliere GenitoreTutelato, oppure correggere PresentataDa. Il tutore di un minore usa Qualita TUTORE_MINORE."
    }
    At016 "AT-016" Regola correggere {
        "il genitore tutelato è lo stesso richiedente"
        "the parent under tutelage is the applicant"
        "In Richiedente indicare il tutore, in GenitoreTutelato il genitore; chi chiede per sé usa PresentataDa GENITORE."
    }
    // ── AU: Assegno Unico e Universale ──
    Au001 "AU-001" Regola correggere {
        "con la ripartizione {ripartizione} serve il codice fiscale dell'altro genitore"
        "with ripartizione {ripartizione} the other parent's codice fiscale is needed"
        "Indicare AltroGenitore/CodiceFiscale; se l'altro genitore non c'è, l'importo va per intero al richiedente (A)."
    }
    Au002 "AU-002" Regola correggere {
        "ripartizione {ripartizione} non ammessa: l'importo va per intero al richiedente"
        "ripartizione {ripartizione} is not allowed: the whole sum goes to the applicant"
        "Con affidamento esclusivo o a tutore o affidatario, con un solo genitore e per il figlio maggiorenne che chiede per sé inviare Ripartizione A, oppure correggere Ruolo, SituazioneGenitori o Affidamento."
    }
    Au005 "AU-005" Regola correggere {
        "il figlio maggiorenne ha già chiesto l'assegno per sé: la sua scheda è in stato {stato}"
        "the adult child has already asked for itself: its sheet is in state {stato}"
        "Togliere questo figlio: l'assegno è già chiesto da lui. Se la domanda è del proprio patronato si trova con ConsultaDomanda."
    }
    Au006 "AU-006" Regola correggere {
        "il figlio ha già compiuto 21 anni alla presentazione della domanda e non è disabile"
        "the child had already turned 21 when the domanda was presented, and is not disabled"
        "Dai 21 anni l'assegno spetta solo per i figli disabili: togliere il figlio, oppure correggere il codice fiscale o Disabilita."
    }
    Au007 "AU-007" Regola correggere {
        "il genitore ha già una domanda attiva, presentata dal proprio patronato: la n. {numero}"
        "the parent already has a live domanda, presented by the same patronato: n. {numero}"
        "Un genitore ha una domanda sola, che vale anche per gli anni seguenti: aggiungere il figlio a quella con AggiungiFiglio (Riferimento/NumeroDomanda {numero}), correggerla con ModificaDomanda. Una nuova si presenta quando nessuna sua scheda è più attiva."
    }
    Au008 "AU-008" Regola correggere {
        "per il figlio c'è già una domanda attiva: la sua scheda è in stato {stato}"
        "there already is a live domanda for the child: its sheet is in state {stato}"
        "Una domanda attiva vale anche per gli anni seguenti e non si ripresenta: togliere questo figlio. Se la scheda è del proprio patronato si trova con ConsultaDomanda."
    }
    Au009 "AU-009" Regola correggere {
        "la stessa persona è indicata due volte: il codice fiscale è quello del richiedente o del genitore tutelato"
        "the same person is named twice: the codice fiscale is that of the applicant or of the parent under tutelage"
        "Indicare il codice fiscale giusto; soltanto il figlio maggiorenne che chiede per sé (Ruolo FIGLIO_MAGGIORENNE) è insieme richiedente e figlio."
    }
    Au010 "AU-010" Regola correggere {
        "AnnoCompetenza non è quello per cui si accolgono domande: {anno}"
        "AnnoCompetenza is not the year for which domande are taken: {anno}"
        "Inviare AnnoCompetenza {anno}, oppure ometterlo: vale l'anno della presentazione."
    }
    Au011 "AU-011" Regola correggere {
        "figlio già presente nella domanda, al posto {primo}"
        "child already in this domanda, at place {primo}"
        "Una scheda per ciascun figlio: togliere la seconda, o correggerne il codice fiscale."
    }
    Au012 "AU-012" Regola correggere {
        "il figlio maggiorenne chiede soltanto per sé: una sola scheda, con il suo codice fiscale"
        "an adult child asks for itself alone: one sheet, with its own codice fiscale"
        "Inviare un solo Figlio con il codice fiscale del richiedente, oppure correggere Ruolo."
    }
    Au013 "AU-013" Regola correggere {
        "il codice fiscale dell'altro genitore è quello del figlio"
        "the other parent's codice fiscale is the child's"
        "Indicare il codice fiscale dell'altro genitore, oppure AltroGenitoreAssente."
    }
    Au014 "AU-014" Regola correggere {
        "GenitoreTutelato va indicato se e solo se Ruolo è TUTORE_GENITORE"
        "GenitoreTutelato is needed if and only if Ruolo is TUTORE_GENITORE"
        "Aggiungere o togliere GenitoreTutelato, oppure correggere Ruolo. Il tutore del figlio usa Ruolo TUTORE."
    }
    Au015 "AU-015" Regola correggere {
        "il genitore tutelato è lo stesso richiedente"
        "the parent under tutelage is the applicant"
        "In Richiedente indicare il tutore, in GenitoreTutelato il genitore; chi chiede per sé usa Ruolo GENITORE."
    }
    Au016 "AU-016" Regola correggere {
        "per il figlio da 18 a 20 anni non disabile manca CondizioneMaggiorenne"
        "CondizioneMaggiorenne is missing for a child of 18 to 20 years who is not disabled"
        "Aggiungere CondizioneMaggiorenne: studio o formazione, tirocinio o lavoro con reddito sotto 8.000 euro, disoccupazione registrata, servizio civile universale. Senza una di queste l'assegno non spetta."
    }
    Au017 "AU-017" Regola correggere {
        "CondizioneMaggiorenne non ammessa: il figlio è minorenne"
        "CondizioneMaggiorenne is not allowed: the child is a minor"
        "Togliere CondizioneMaggiorenne, o correggere il codice fiscale se l'età è sbagliata."
    }
    Au018 "AU-018" Regola correggere {
        "RedditoSottoSoglia va indicato, e true, se e solo se CondizioneMaggiorenne è TIROCINIO o LAVORO"
        "RedditoSottoSoglia is needed, and true, if and only if CondizioneMaggiorenne is TIROCINIO or LAVORO"
        "Per tirocinio e lavoro inviare RedditoSottoSoglia true se il reddito complessivo è inferiore a 8.000 euro annui (altrimenti l'assegno non spetta); per le altre condizioni toglierlo."
    }
    Au019 "AU-019" Regola correggere {
        "il figlio non è dichiarato a carico"
        "the child is not declared to be dependent"
        "Inviare ACarico true se il figlio è nel nucleo ISEE o è autodichiarato a carico; altrimenti l'assegno non spetta e il figlio va tolto."
    }
    Au020 "AU-020" Regola correggere {
        "manca l'altro genitore: né AltroGenitore né AltroGenitoreAssente"
        "the other parent is missing: neither AltroGenitore nor AltroGenitoreAssente"
        "Indicare il codice fiscale dell'altro genitore, o perché non c'è. Li omette soltanto l'orfano maggiorenne che chiede per sé."
    }
    Au021 "AU-021" Regola correggere {
        "PagamentoAltroGenitore di chi non è l'altro genitore di una scheda con ripartizione B"
        "PagamentoAltroGenitore of somebody who is not the other parent of a sheet with ripartizione B"
        "Togliere il pagamento, o correggere il codice fiscale: con A l'importo va al richiedente, con C l'altro genitore indica da sé come essere pagato."
    }
    Au022 "AU-022" Regola correggere {
        "PagamentoAltroGenitore ripetuto per lo stesso genitore"
        "PagamentoAltroGenitore repeated for the same parent"
        "Indicare un solo pagamento per ciascun altro genitore: vale per tutte le sue schede. Con AggiungiFiglio ometterlo, se quel genitore è già pagato nella domanda."
    }
    Au023 "AU-023" Regola correggere {
        "pagamento in contante per entrambi i genitori"
        "payment in cash for both parents"
        "Il contante allo sportello postale è ammesso per uno solo dei due genitori: per l'altro indicare un conto."
    }
    Au024 "AU-024" Regola correggere {
        "pagamento sulla carta del Reddito di cittadinanza: la domanda non è dovuta"
        "payment on the card of the Reddito di cittadinanza: the domanda is not due"
        "I nuclei con Reddito di cittadinanza ricevono l'assegno d'ufficio: non inviare la domanda. Altrimenti scegliere IBAN o CONTANTE_POSTE."
    }
    Au025 "AU-025" Regola correggere {
        "Nucleo indicato insieme all'ISEE"
        "Nucleo told together with the ISEE"
        "Con l'ISEE il nucleo è quello della DSU: togliere Nucleo, oppure inviare Isee/Presente false."
    }
    Au026 "AU-026" Regola correggere {
        "ProtocolloDSU senza ISEE"
        "ProtocolloDSU without an ISEE"
        "Inviare Isee/Presente true, oppure togliere ProtocolloDSU."
    }
    Au027 "AU-027" Regola correggere {
        "chi chiede come figlio maggiorenne non ha ancora 18 anni"
        "who asks as an adult child is not yet 18"
        "Per il minorenne chiede un genitore, il tutore o l'affidatario: correggere Ruolo o il codice fiscale."
    }
    Au028 "AU-028" Regola correggere {
        "con la ripartizione {ripartizione} manca PagamentoAltroGenitore per l'altro genitore"
        "with ripartizione {ripartizione} PagamentoAltroGenitore is missing for the other parent"
        "Aggiungere PagamentoAltroGenitore con il codice fiscale dell'altro genitore; se non è d'accordo inviare C: lo indicherà lui."
    }
    Au029 "AU-029" Regola correggere {
        "il conto non è intestato a chi riceve il pagamento"
        "the account is not that of who is paid"
        "Indicare un conto di chi è pagato, anche cointestato: del richiedente; dell'altro genitore per la sua quota; del genitore tutelato, se chiede il suo tutore; di un altro tutore o affidatario. In contante non serve un conto."
    }
    Au030 "AU-030" Regola correggere {
        "il genitore ha già una domanda attiva, che non è del proprio patronato"
        "the parent already has a live domanda, which is not of the same patronato"
        "Un genitore ha una domanda sola, che vale anche per gli anni seguenti: il figlio si aggiunge a quella (AggiungiFiglio), da parte di chi l'ha presentata. Una nuova si presenta quando nessuna scheda di quella è più attiva, per esempio dopo la rinuncia."
    }
    Au101 "AU-101" Avviso correggere {
        "NuovaNascita comunicata dopo {giorni} giorni: la decorrenza è dal mese successivo alla presentazione"
        "birth told after {giorni} days: it counts from the month after the presentation"
        "La domanda è accettata; se non è una nuova nascita omettere NuovaNascita: vale la decorrenza ordinaria."
    }
    Au102 "AU-102" Avviso correggere {
        "Anf2021Percepito senza ISEE: la maggiorazione richiede un ISEE fino a 25.000 euro"
        "Anf2021Percepito without an ISEE: the majoration asks for an ISEE up to 25,000 euro"
        "La domanda è accettata; per la maggiorazione presentare la DSU."
    }
    // ── STA, PRO: state and register ──
    Sta001 "STA-001" Regola correggere {
        "la scheda {posto} è in stato {stato}, che non ammette {operazione}"
        "sheet {posto} is in state {stato}, which does not allow {operazione}"
        "In questo stato sono ammesse: {ammesse}. Togliere la scheda dalla richiesta, o attendere che il suo stato cambi."
    }
    Sta002 "STA-002" Regola correggere {
        "la domanda non ha una scheda {posto}"
        "the domanda has no sheet {posto}"
        "Indicare il Posto delle schede come sta nella ricevuta e in ConsultaDomanda."
    }
    Sta003 "STA-003" Regola correggere {
        "nessuna scheda della domanda è in uno stato che ammette {operazione}"
        "no sheet of the domanda is in a state that allows {operazione}"
        "Lo stato di ogni scheda si legge con ConsultaDomanda."
    }
    Sta004 "STA-004" Regola correggere {
        "la registrazione della domanda è stata annullata (DPR 445/2000 art. 54): nessun atto vi si può aggiungere"
        "the registration of the domanda was annulled: no act can be added to it"
        "La domanda annullata resta leggibile con ConsultaDomanda. Se la prestazione è ancora voluta, presentarla di nuovo con InviaDomanda."
    }
    // ── LAV: the engine's work has begun ──
    Lav001 "LAV-001" Regola correggere {
        "lavorazione avviata (LAVORAZIONE_AVVIATA): la scheda {posto} è in stato {stato} e questo dato non si modifica più"
        "processing has started (LAVORAZIONE_AVVIATA): sheet {posto} is in state {stato} and this value can no longer change"
        "Della scheda si può ancora modificare: {modificabili}. Rimettere qui il valore registrato e inviare di nuovo con la stessa ChiaveInvio; i documenti si inviano in ogni stato vivo con AllegaDocumento."
    }
    // ── MOD: what a domanda that is there lets change ──
    Mod001 "MOD-001" Regola correggere {
        "questo figlio non è nella domanda"
        "this child is not in the domanda"
        "ModificaDomanda porta gli stessi figli della domanda: aggiungerne uno con {aggiungi}; se il codice fiscale era sbagliato, rinunciare alla sua scheda con RinunciaDomanda e aggiungere il figlio con {aggiungi}."
    }
    Mod002 "MOD-002" Regola correggere {
        "manca il figlio della scheda {posto}"
        "the child of sheet {posto} is missing"
        "ModificaDomanda porta gli stessi figli della domanda, anche quelli la cui scheda è conclusa: rimettere il figlio com'è registrato. Per lasciare una scheda usare RinunciaDomanda."
    }
    Mod003 "MOD-003" Regola correggere {
        "il richiedente non è quello della domanda"
        "the applicant is not that of the domanda"
        "Il richiedente di una domanda non cambia: controllare Riferimento e codice fiscale; per un altro richiedente rinunciare con RinunciaDomanda e presentare una domanda nuova con InviaDomanda."
    }
    Mod004 "MOD-004" Regola correggere {
        "la domanda è già così: non c'è nulla da modificare"
        "the domanda is like this already: there is nothing to change"
        "Inviare la domanda come deve diventare, con almeno un dato diverso o un documento in più."
    }
    Mod005 "MOD-005" Regola correggere {
        "la domanda ha già {massimo} schede, quante ne può avere"
        "the domanda already has {massimo} sheets, as many as it can have"
        "Presentare il figlio con una domanda nuova (InviaDomanda)."
    }
    Mod006 "MOD-006" Regola correggere {
        "la ripartizione di questa scheda l'ha indicata l'altro genitore: {ripartizione}"
        "the split of this sheet was told by the other parent: {ripartizione}"
        "Inviare la ripartizione com'è ({ripartizione}); a cambiarla è l'altro genitore, con CompletaSecondoGenitore."
    }
    Mod101 "MOD-101" Avviso correggere {
        "il pagamento della sua quota l'ha indicato l'altro genitore: resta quello, e quanto inviato qui non lo cambia"
        "the payment of their half was told by the other parent: it stays, and what is sent here does not change it"
        "Nulla da fare: la quota dell'altro genitore si cambia con CompletaSecondoGenitore, da parte di un Ente con il suo mandato."
    }
    Pro001 "PRO-001" APIUnavailable ripetere {
        "il registro di protocollo è fermo: è aperto il registro di emergenza (DPR 445/2000 art. 63), nulla è stato registrato"
        "the protocol register stands still: the emergency register is open, nothing was registered"
        "Riprovare con la stessa ChiaveInvio dopo i secondi di Retry-After: chi era già registrato riceve comunque la sua ricevuta."
    }
    Pro101 "PRO-101" NotFound correggere {
        "nessuna domanda dell'ente corrisponde al riferimento indicato"
        "no domanda of this ente matches the reference given"
        "Controllare protocollo, numero domanda, ChiaveInvio o impronta: si consultano solo le domande inviate dallo stesso ente per lo stesso servizio."
    }
    // ── SEC: the second parent ──
    Sec001 "SEC-001" Regola correggere {
        "con la ripartizione {ripartizione} manca il pagamento della quota del secondo genitore"
        "with ripartizione {ripartizione} the payment of the second parent's half is missing"
        "Aggiungere dopo Ripartizione il pagamento della quota, su un conto del secondo genitore o in contante."
    }
    Sec002 "SEC-002" Regola correggere {
        "con la ripartizione {ripartizione} l'importo va per intero al richiedente: non c'è una quota da pagare"
        "with ripartizione {ripartizione} the whole sum goes to the applicant: there is no half to pay"
        "Togliere il pagamento, oppure indicare una ripartizione a metà."
    }
    Sec003 "SEC-003" LimitExceeded ripetere {
        "troppe richieste che non corrispondono ad alcuna scheda: al massimo {massimo} ogni ora per l'ente {ente}"
        "too many requests that match no sheet: at most {massimo} an hour for ente {ente}"
        "Verificare con l'assistito numero della domanda, codice fiscale del figlio e proprio; riprovare dopo i secondi di Retry-After."
    }
    // ── CUR: lists by pages ──
    Cur001 "CUR-001" InvalidRequestContent correggere {
        "il Cursore non è di questo elenco: non è stato dato a questo ente, per questo servizio e per questa stessa richiesta"
        "the Cursore is not of this list: it was not given to this ente, for this service and for this same request"
        "Rimandare il Cursore così come sta nella risposta precedente, con gli stessi criteri; per ricominciare ometterlo."
    }
    Cur002 "CUR-002" InvalidRequestContent correggere {
        "{campo} non è un codice fiscale: il carattere di controllo o la data non tornano"
        "{campo} is no codice fiscale: its check character or its date is wrong"
        "Copiare il codice fiscale dalla tessera sanitaria: nessuna domanda ne ha uno così."
    }
    Cur003 "CUR-003" InvalidRequestContent correggere {
        "PresentataDal viene dopo PresentataAl: nessun giorno sta fra i due"
        "PresentataDal comes after PresentataAl: no day lies between them"
        "Scambiare i due giorni; per un giorno solo indicarlo in entrambi."
    }
    Cur004 "CUR-004" NotFound correggere {
        "le variazioni che seguono questo cursore non sono più conservate tutte"
        "not all changes behind this cursor are kept any more"
        "Chiedere di nuovo ElencoVariazioni senza Cursore, dalla prima variazione conservata, e lo stato attuale delle domande a RicercaDomande."
    }
    // ── DOC: the papers of a registration ──
    Doc001 "DOC-001" InvalidRequestContent correggere {
        "la richiesta di questa registrazione è stata eliminata al termine della sua conservazione: il riepilogo non c'è più"
        "the request of this registration was purged at the end of its retention: its summary is no more"
        "Resta la ricevuta, con ScaricaRicevuta; per i dati trasmessi rivolgersi alla sede INPS con il numero di protocollo."
    }
    // ── RIE: riesame ──
    Rie001 "RIE-001" Regola correggere {
        "il riesame della scheda {posto}, decisa il {decisa}, si chiedeva entro {giorni} giorni: fino al {ultimo}"
        "the riesame of sheet {posto}, decided on {decisa}, could be asked for within {giorni} days: up to {ultimo}"
        "Trascorso il termine si può presentare un'altra domanda (se lo stato della scheda lo ammette), o ricorrere nelle forme di legge."
    }
    Rie002 "RIE-002" Regola correggere {
        "la scheda {posto} ha già un riesame in corso ({stato})"
        "sheet {posto} has a riesame under way ({stato})"
        "Attendere l'esito, che si legge con ConsultaDomanda: fino ad allora non se ne chiede un altro."
    }
    // ── LOT: lots ──
    Lot001 "LOT-001" InvalidRequestContent correggere {
        "manca l'identificativo del lotto: né l'intestazione {intestazione} né IdLotto"
        "the id of the lot is missing: neither the header {intestazione} nor IdLotto"
        "Ripetere l'intestazione {intestazione} ricevuta nella risposta di InviaLotto, oppure scriverne il valore in IdLotto."
    }
    Lot002 "LOT-002" InvalidRequestContent correggere {
        "l'identificativo del lotto in {dove} non ha la forma di quelli dati dal varco"
        "the id of the lot in {dove} has not the form of those that the gateway gives out"
        "Ripetere l'identificativo come è nella risposta di InviaLotto: 36 caratteri, minuscoli."
    }
    Lot003 "LOT-003" InvalidRequestContent correggere {
        "l'intestazione {intestazione} e IdLotto nominano due lotti diversi"
        "the header {intestazione} and IdLotto name two different lots"
        "Lasciare uno dei due, quello del lotto che si cerca."
    }
    Lot004 "LOT-004" NotFound correggere {
        "nessun lotto di questo Ente ha questo identificativo, per questo servizio"
        "no lot of this Ente has this id, for this service"
        "Controllare l'identificativo; se la risposta di InviaLotto è andata perduta, inviare di nuovo lo stesso lotto con la stessa ChiaveInvio: si riceve lo stesso identificativo."
    }
    Lot005 "LOT-005" Conflict ripetere {
        "il lotto non è ancora concluso: {lavorati} domande lavorate"
        "the lot is not done yet: {lavorati} domande worked"
        "Chiedere StatoLotto e ripetere EsitoLotto quando lo stato è done."
    }
    Lot006 "LOT-006" LimitExceeded ripetere {
        "l'Ente ha già {limite} lotti non conclusi"
        "the Ente has {limite} lots that are not done already"
        "Attendere che un lotto si concluda (StatoLotto), poi inviare di nuovo questo con la stessa ChiaveInvio."
    }
    Lot007 "LOT-007" RequestSizeExceeded correggere {
        "il lotto supera {limite} byte, una volta decompresso"
        "the lot is larger than {limite} bytes, once decompressed"
        "Dividere il lotto in più lotti, ciascuno con la propria ChiaveInvio; le chiavi delle domande restano le stesse."
    }
    Lot008 "LOT-008" RequestSizeExceeded correggere {
        "il lotto ha più di {limite} domande"
        "the lot has more than {limite} domande"
        "Dividere il lotto in più lotti, ciascuno con la propria ChiaveInvio; le chiavi delle domande restano le stesse."
    }
    Lot009 "LOT-009" RequestSizeExceeded correggere {
        "una domanda del lotto, o ciò che la precede, supera {limite} byte"
        "a domanda of the lot, or what stands before it, is larger than {limite} bytes"
        "Inviare gli allegati grandi con AllegaDocumento, dopo il lotto; se la domanda è piccola, controllare che l'elemento sia chiuso."
    }
    Lot010 "LOT-010" InvalidRequestContent correggere {
        "il lotto non contiene nessuna domanda"
        "the lot holds no domanda"
        "Mettere nel lotto almeno un elemento {atteso}."
    }
    Lot011 "LOT-011" UnprocessableRequestContent correggere {
        "il file compresso non si può leggere: {motivo}"
        "the compressed file cannot be read: {reason}"
        "Comprimere di nuovo il file con gzip e controllarlo con gzip -t, poi inviarlo con la stessa ChiaveInvio."
    }
    Lot012 "LOT-012" RequestSizeExceeded correggere {
        "il file compresso si espande più di {limite} volte"
        "the compressed file expands more than {limite} times"
        "Inviare il file senza comprimerlo, o diviso in più lotti."
    }
    Lot013 "LOT-013" InvalidRequestContent correggere {
        "l'elemento {trovato} non può stare in un lotto; atteso {atteso}"
        "the element {trovato} cannot stand in a lot; expected {atteso}"
        "In un lotto stanno le richieste {atteso}, una dopo l'altra; gli atti su domande già presentate si inviano uno per uno."
    }
    Lot014 "LOT-014" InvalidRequestContent correggere {
        "il file comincia con {trovato}; atteso {atteso}"
        "the file begins with {trovato}; expected {atteso}"
        "La radice del file è {atteso}, nel namespace del servizio."
    }
    Lot015 "LOT-015" APIUnavailable ripetere {
        "il lotto è stato chiuso da chi gestisce il varco, prima della fine"
        "the lot was called off by who runs the gateway, before its end"
        "Ciò che è registrato resta; inviare le altre domande, con le stesse chiavi, in un lotto nuovo. Per il motivo rivolgersi all'assistenza."
    }
    Lot016 "LOT-016" APIUnavailable ripetere {
        "lo spazio del varco è scarso: nessun lotto nuovo è accolto, questo non lo è stato"
        "the gateway is short of room: no new lot is taken, and this one was not"
        "Inviare di nuovo lo stesso lotto, con la stessa ChiaveInvio, dopo i secondi di Retry-After; le domande urgenti si possono inviare singole. Stato ed esito dei lotti già accolti si chiedono come sempre."
    }
    // ── MTM: the parts of an MTOM message ──
    Mtm001 "MTM-001" Porta correggere {
        "Content-Type multipart/related che non si può leggere: {motivo}"
        "multipart/related Content-Type that cannot be read: {motivo}"
        "Scrivere multipart/related; type=\"application/xop+xml\"; start-info=\"application/soap+xml\"; boundary=\"…\", ogni parametro una volta sola; start, se c'è, è il Content-ID della busta."
    }
    Mtm002 "MTM-002" UnprocessableRequestContent correggere {
        "prima della prima parte c'è altro che il delimitatore"
        "something other than the delimiter stands before the first part"
        "Il corpo HTTP comincia con -- e il boundary del Content-Type, senza preambolo."
    }
    Mtm003 "MTM-003" UnprocessableRequestContent correggere {
        "il messaggio finisce prima del delimitatore di chiusura"
        "the message ends before its closing delimiter"
        "Il messaggio è stato troncato: controllare Content-Length, e che l'ultima riga sia --boundary--."
    }
    Mtm004 "MTM-004" UnprocessableRequestContent correggere {
        "dopo il delimitatore di chiusura ci sono altri byte"
        "bytes stand behind the closing delimiter"
        "Nulla segue --boundary--, salvo una fine di riga."
    }
    Mtm005 "MTM-005" UnprocessableRequestContent correggere {
        "il delimitatore della parte {parte} è seguito o preceduto da altro che una fine di riga"
        "the delimiter of part {parte} has something other than a line end beside it"
        "Il boundary non compare nel contenuto delle parti, e la sua riga finisce come la prima (CRLF o LF, non mescolati)."
    }
    Mtm006 "MTM-006" UnprocessableRequestContent correggere {
        "l'intestazione della parte {parte} {motivo}"
        "the head of part {parte} cannot be read: {motivo}"
        "Scrivere Content-Type, Content-Transfer-Encoding e Content-ID una volta ciascuno, poi una riga vuota."
    }
    Mtm007 "MTM-007" UnprocessableRequestContent correggere {
        "l'intestazione della parte {parte} supera {limite} byte"
        "the head of part {parte} is longer than {limite} bytes"
        "Togliere le intestazioni che non servono; dopo di esse c'è una riga vuota. Il limite è detto anche dall'operazione Limiti."
    }
    Mtm008 "MTM-008" UnprocessableRequestContent correggere {
        "il messaggio ha più di {limite} parti"
        "the message has more than {limite} parts"
        "Inviare meno documenti in un messaggio; il limite è detto anche dall'operazione Limiti."
    }
    Mtm009 "MTM-009" UnprocessableRequestContent correggere {
        "nessuna parte è la busta: quella indicata da start non c'è"
        "no part is the envelope: the one that start names is not there"
        "Indicare in start il Content-ID della parte con la busta, oppure omettere start e mettere la busta per prima."
    }
    Mtm010 "MTM-010" UnprocessableRequestContent correggere {
        "la parte {parte}, che contiene la busta, non è come deve: {motivo}"
        "part {parte}, which holds the envelope, is not as it must be: {motivo}"
        "La parte con la busta ha Content-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\" e Content-Transfer-Encoding: binary."
    }
    Mtm011 "MTM-011" UnprocessableRequestContent correggere {
        "la parte {parte} ha una Content-Transfer-Encoding non ammessa"
        "part {parte} has a Content-Transfer-Encoding that is not taken"
        "Usare binary (oppure 8bit, 7bit, base64)."
    }
    Mtm012 "MTM-012" UnprocessableRequestContent correggere {
        "la parte {parte} dice di essere base64, e non lo è"
        "part {parte} is said to be base64, and is not"
        "Codificare la parte per intero, con il riempimento (=), oppure inviarla binary."
    }
    Mtm013 "MTM-013" UnprocessableRequestContent correggere {
        "la parte {parte} è essa stessa un multipart"
        "part {parte} is itself a multipart"
        "Mettere ogni documento in una parte propria dello stesso messaggio."
    }
    Mtm014 "MTM-014" UnprocessableRequestContent correggere {
        "la parte {parte} non ha Content-ID"
        "part {parte} has no Content-ID"
        "Dare a ogni parte oltre la busta un Content-ID, che un xop:Include nomina."
    }
    Mtm015 "MTM-015" UnprocessableRequestContent correggere {
        "la parte {parte} ha il Content-ID di un'altra"
        "part {parte} has the Content-ID of another one"
        "Dare a ogni parte un Content-ID proprio."
    }
    Mtm016 "MTM-016" InvalidRequestContent correggere {
        "xop:Include indica una parte che non c'è"
        "xop:Include names a part that is not there"
        "Scrivere in href cid: e il Content-ID della parte, senza parentesi angolari e con i caratteri riservati come %XX."
    }
    Mtm017 "MTM-017" InvalidRequestContent correggere {
        "xop:Include indica una parte già usata da un altro"
        "xop:Include names a part that another one has used"
        "Ogni documento ha la sua parte, anche quando i byte sono gli stessi."
    }
    Mtm018 "MTM-018" InvalidRequestContent correggere {
        "nessun xop:Include indica la parte {parte}"
        "no xop:Include names part {parte}"
        "Togliere la parte, o indicarla nell'elemento che la contiene."
    }
    Mtm019 "MTM-019" InvalidRequestContent correggere {
        "href di xop:Include non è un riferimento cid:"
        "href of xop:Include is no cid: reference"
        "Scrivere href=\"cid:…\": un documento sta nel messaggio, non altrove."
    }
    Mtm020 "MTM-020" InvalidRequestContent correggere {
        "accanto a xop:Include, o dentro, c'è altro"
        "something stands beside or inside xop:Include"
        "L'elemento contiene il solo xop:Include, vuoto; oppure il solo base64."
    }
    Mtm021 "MTM-021" InvalidRequestContent correggere {
        "la parte {parte} di un lotto viene prima della busta"
        "part {parte} of a lot comes before the envelope"
        "Mettere per prima la parte con la busta: un lotto si legge mentre arriva."
    }
    // ── STO, SYS: ours ──
    Sto001 "STO-001" APIUnavailable ripetere {
        "servizio momentaneamente non disponibile"
        "service temporarily unavailable"
        "Riprovare con la stessa ChiaveInvio dopo i secondi di Retry-After: se la domanda era già registrata si riceve la sua ricevuta."
    }
    Sto002 "STO-002" APIUnavailable ripetere {
        "il registro non accoglie altre domande in questo momento: la coda o lo spazio sono esauriti, nulla è stato registrato"
        "the register takes no more domande right now: its queue or its space is exhausted, nothing was registered"
        "Riprovare con la stessa ChiaveInvio dopo i secondi di Retry-After, con meno invii contemporanei."
    }
    Sto003 "STO-003" APIUnavailable ripetere {
        "il registro è sospeso in attesa di un intervento del gestore: nulla è stato registrato"
        "the register is suspended until its operators have acted: nothing was registered"
        "Riprovare più tardi con la stessa ChiaveInvio; se la sospensione dura, segnalare al gestore del servizio il codice STO-003 e l'ora."
    }
    Sto004 "STO-004" APIUnavailable ripetere {
        "l'archivio è più indietro dei numeri già comunicati: nulla è registrato finché il gestore non lo ha recuperato"
        "the store stands before numbers that were told: nothing is registered until its operators have recovered it"
        "Riprovare più tardi con la stessa ChiaveInvio; conservare le ricevute delle ultime ore, che il gestore può chiedere. Se dura, segnalare il codice STO-004 e l'ora."
    }
    Sto005 "STO-005" APIUnavailable ripetere {
        "lo spazio del varco è in esaurimento: nessuna domanda nuova e nessun atto nuovo è accolto, nulla è stato registrato"
        "the gateway is running out of room: no new domanda and no new act is taken, nothing was registered"
        "Riprovare con la stessa ChiaveInvio dopo i secondi di Retry-After: chi era già registrato riceve comunque la sua ricevuta, e le consultazioni rispondono."
    }
    Sys001 "SYS-001" APIUnavailable ripetere {
        "errore interno: l'esito di questa richiesta non è garantito"
        "internal error: the outcome of this request is not guaranteed"
        "Riprovare con la stessa ChiaveInvio: se la domanda era già registrata si riceve la sua ricevuta. Se l'errore si ripete, segnalare al gestore l'id del messaggio."
    }
    Sys002 "SYS-002" APIUnavailable ripetere {
        "troppi messaggi in corso: il tracciato dei messaggi non può accoglierne altri"
        "too many messages in progress: the message trace cannot take any more"
        "Riprovare con la stessa ChiaveInvio dopo i secondi di Retry-After, con meno connessioni contemporanee."
    }
    Sys003 "SYS-003" APIUnavailable ripetere {
        "il tempo per rispondere è scaduto: la domanda può essere stata registrata"
        "the time to answer ran out: the domanda may have been registered"
        "Riprovare con la stessa ChiaveInvio: se la domanda era già registrata si riceve la sua ricevuta."
    }
    Sys004 "SYS-004" APIUnavailable ripetere {
        "il varco è in manutenzione, nessuna domanda, atto o lotto nuovo è accolto e nulla è stato registrato: {messaggio}"
        "the gateway is under maintenance, no new domanda, act or lot is taken and nothing was registered: {messaggio}"
        "Riprovare con la stessa ChiaveInvio dopo i secondi di Retry-After: chi era già registrato riceve comunque la sua ricevuta, e le consultazioni rispondono."
    }
    // ── end ──
}

/// The groups of codes, in the order of the table: prefix and title.
pub const GRUPPI: &[(&str, &str)] = &[
    (
        "TLS",
        "Handshake TLS (solo nel registro della porta: senza handshake non c'è envelope)",
    ),
    ("HTP", "HTTP, prima dell'envelope"),
    ("BST", "Busta e-Gov (porte di dominio, /PD)"),
    ("ENV", "XML ed envelope SOAP"),
    ("IDN", "Intestazione Identity"),
    ("ACC", "Accesso: chi può chiamare che cosa, da dove"),
    ("RPL", "Ripetizione"),
    ("XSD", "Forma: lo schema"),
    ("CF", "Codice fiscale"),
    ("IBN", "IBAN"),
    ("FIN", "Finestre di presentazione"),
    ("DIC", "Dichiarazioni e dati del mandato"),
    ("ALL", "Allegati"),
    ("PAT", "Patronato e mandato"),
    ("AT", "Assegno temporaneo"),
    ("AU", "Assegno unico e universale"),
    ("STA", "Stato della domanda"),
    ("LAV", "Lavorazione avviata"),
    ("MOD", "Che cosa di una domanda non si modifica"),
    ("PRO", "Registro di protocollo"),
    ("SEC", "Secondo genitore"),
    ("CUR", "Elenchi a pagine"),
    ("DOC", "Ricevute e riepiloghi"),
    ("RIE", "Riesame"),
    ("LOT", "Lotti"),
    ("MTM", "MTOM: le parti di un messaggio"),
    ("STO", "Archivio (nostri)"),
    ("SYS", "Sistema (nostri)"),
];

impl Voce {
    /// The prefix of its code: `XSD`.
    #[must_use]
    pub fn prefisso(&self) -> &'static str {
        self.codice
            .split_once('-')
            .map_or(self.codice, |(prefisso, _)| prefisso)
    }
}

/// The catalogue as a page, Italian first: what `docs/errori.md` holds and `varco kit` writes.
#[must_use]
pub fn markdown() -> String {
    let mut pagina = vec![String::from(
        "# Errori\n\n\
         <!-- Generata da src/catalogo.rs (`BLESS=1 cargo test --test tidy`): non modificare a mano. -->\n\n\
         Ogni errore e ogni avviso che Varco dice a qualcuno ha qui il suo codice. I codici sono stabili: non cambiano \
         significato e non si riusano. `{…}` è il posto di un valore; nessun valore è mai un dato personale.\n\n\
         - **Fault**: il messaggio non è stato letto o non è ammesso; il genere è il Subcode del Fault SOAP 1.2 e il \
         `title` di `problem`, il numero accanto è il suo `status`.\n\
         - **Regola**: nessun Fault; la risposta ha `Esito` `RIFIUTATA` e l'errore è nella lista `Errori`.\n\
         - **Avviso**: la domanda è (o sarebbe) registrata; l'avviso sta nella lista `Avvisi`.\n\
         - **Porta**: rifiutato prima che ci fosse un envelope; sta nel registro della porta e, se c'è HTTP, nella riga di stato.\n\
         - **Ripetere**: sì = lo stesso messaggio, inviato di nuovo più tardi con la stessa ChiaveInvio, può riuscire; \
         no = correggere prima.\n",
    )];
    for (prefisso, titolo) in GRUPPI {
        let mut voci = CODICI
            .iter()
            .map(|codice| codice.voce())
            .filter(|voce| voce.prefisso() == *prefisso)
            .peekable();
        if voci.peek().is_some() {
            pagina.push(format!("\n## {prefisso}: {titolo}\n"));
        }
        for voce in voci {
            let genere = match voce.genere {
                Genere::Regola | Genere::Avviso | Genere::Porta => voce.genere.nome().to_owned(),
                Genere::UnprocessableRequestContent
                | Genere::InvalidRequestContent
                | Genere::ContentTypeNotSupported
                | Genere::SoapMustUnderstandUnknown
                | Genere::SoapVersionMismatch
                | Genere::UndefinedOperation
                | Genere::NotFound
                | Genere::AuthorizationDeny
                | Genere::Conflict
                | Genere::RequestSizeExceeded
                | Genere::LimitExceeded
                | Genere::APIUnavailable => {
                    format!("Fault `{}` {}", voce.genere.nome(), voce.genere.status())
                }
            };
            let ripetere = if voce.ripetere { "sì" } else { "no" };
            pagina.push(format!(
                "\n### {}\n\n- it: {}\n- en: {}\n- rimedio: {}\n- {genere} · ripetere: {ripetere}\n",
                voce.codice,
                in_markdown(voce.it),
                in_markdown(voce.en),
                in_markdown(voce.suggerimento),
            ));
        }
    }
    pagina.concat()
}

/// The catalogue for programs: what the gateway serves and `varco kit` writes beside the page. Its elements have the
/// names that an `Errore` has in `cooperazione-v1.xsd`.
#[must_use]
pub fn xml() -> String {
    let mut testo = vec![String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Catalogo xmlns=\"http://inps.it/cooperazione/catalogo/v1\">\n",
    )];
    for voce in CODICI.iter().map(|codice| codice.voce()) {
        testo.push(format!(
            "  <Voce>\n    <Codice>{}</Codice>\n    <Genere>{}</Genere>\n    <Ripetere>{}</Ripetere>\n    \
             <Testo>{}</Testo>\n    <TestoInglese>{}</TestoInglese>\n    <Suggerimento>{}</Suggerimento>\n  </Voce>\n",
            voce.codice,
            voce.genere.nome(),
            voce.ripetere,
            in_xml(voce.it),
            in_xml(voce.en),
            in_xml(voce.suggerimento),
        ));
    }
    testo.push("</Catalogo>\n".to_owned());
    testo.concat()
}

/// A text that shows an element must not become one in the page.
fn in_markdown(testo: &str) -> String {
    testo
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('*', "\\*")
}

/// The catalogue stands below the wire, so it escapes its own text: no attribute is written, so three characters do.
fn in_xml(testo: &str) -> String {
    testo
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
