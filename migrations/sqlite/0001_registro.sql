-- The store of one ambiente (design.md §2.8-§2.10; fields by DPR 445/2000 art. 53 and the AgID guidelines).
--
-- Conventions: instants are milliseconds since 1970-01-01T00:00:00Z; dates are `YYYY-MM-DD`, months `YYYY-MM`;
-- booleans are 0 and 1; digests are 32 raw bytes; codes and words are those of the XSDs. What the engine team may
-- rely on are the views `motore_*_v1` at the end, not the tables.

-- 'VARC': tells our files from everybody else's.
PRAGMA application_id = 1447121475;

-- ── What this store is ──────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE impostazioni (
    nome   TEXT NOT NULL PRIMARY KEY,  -- `ambiente`, `orologio_inizio`, `offset_orologio_ms`, `creato_il`
    valore TEXT NOT NULL               -- its value, as text
) STRICT, WITHOUT ROWID;

-- ── The register ────────────────────────────────────────────────────────────────────────────────────────────────

-- One row a register. The number is drawn from it in the transaction that writes the registration.
CREATE TABLE registro (
    registro       TEXT    NOT NULL PRIMARY KEY,                       -- `AUF`
    anno           INTEGER NOT NULL CHECK (anno BETWEEN 1000 AND 9999), -- year of `ultimo`, in Europe/Rome
    ultimo         INTEGER NOT NULL CHECK (ultimo BETWEEN 0 AND 999999999999), -- last number drawn in `anno`
    ultimo_istante INTEGER NOT NULL,                                   -- instant of the last registration; no later one is before it
    chiuso_fino_a  INTEGER NOT NULL DEFAULT 0                          -- days before this instant are closed: nothing is registered there any more
) STRICT, WITHOUT ROWID;

CREATE TRIGGER registro_non_torna_indietro BEFORE UPDATE ON registro
WHEN NEW.registro <> OLD.registro
  OR NEW.anno < OLD.anno
  OR (NEW.anno = OLD.anno AND NEW.ultimo < OLD.ultimo)
  OR NEW.ultimo_istante < OLD.ultimo_istante
  OR NEW.chiuso_fino_a < OLD.chiuso_fino_a
BEGIN
    SELECT RAISE(ABORT, 'registro: il contatore non torna indietro');
END;

CREATE TRIGGER registro_non_si_cancella BEFORE DELETE ON registro
BEGIN
    SELECT RAISE(ABORT, 'registro: il contatore non si cancella');
END;

-- Counters that are no protocol register. `domanda`: the numero domanda, gapless over all services of the store.
CREATE TABLE contatori (
    nome   TEXT    NOT NULL PRIMARY KEY, -- `domanda`
    ultimo INTEGER NOT NULL CHECK (ultimo >= 0) -- last number drawn
) STRICT, WITHOUT ROWID;

INSERT INTO contatori (nome, ultimo) VALUES ('domanda', 0);

CREATE TRIGGER contatori_non_tornano_indietro BEFORE UPDATE ON contatori
WHEN NEW.nome <> OLD.nome OR NEW.ultimo < OLD.ultimo
BEGIN
    SELECT RAISE(ABORT, 'contatori: un contatore non torna indietro');
END;

-- Registrations: append-only, without payload. Classification and assignment, which alone may change, are apart.
CREATE TABLE registrazioni (
    id                        INTEGER NOT NULL PRIMARY KEY, -- internal; grows with the numbers
    registro                  TEXT    NOT NULL REFERENCES registro (registro), -- register: `AUF`
    anno                      INTEGER NOT NULL,             -- year of registration in Europe/Rome
    numero                    INTEGER NOT NULL CHECK (numero BETWEEN 1 AND 999999999999), -- number in the year, from 1 without gap
    protocollo                TEXT    NOT NULL UNIQUE,      -- the same as text: `INPS-AUF-2021-000000010797`
    registrata_il             INTEGER NOT NULL,             -- instant of registration (art. 53 b); never before the previous one
    presentata_il             INTEGER NOT NULL,             -- request wholly received: governs windows, rules, decorrenza
    oggetto                   TEXT    NOT NULL,             -- subject (art. 53 d): no health data, no codice fiscale
    servizio                  TEXT    NOT NULL,             -- service: `AssegnoTemporaneo`
    operazione                TEXT    NOT NULL,             -- which act: `InviaDomanda`
    ente                      TEXT    NOT NULL,             -- sender (art. 53 c): code of the patronato
    ente_denominazione        TEXT    NOT NULL,             -- its name on that day
    codice_ufficio            TEXT    NOT NULL,             -- its ufficio, from Identity
    user_id                   TEXT    NOT NULL,             -- its operator, from Identity
    richiedente               TEXT    NOT NULL,             -- codice fiscale of who asks
    destinatario              TEXT    NOT NULL,             -- addressee: `INPS`
    chiave_invio              TEXT    NOT NULL,             -- the sender's own protocol (art. 53 e) and key of the request
    data_pratica              TEXT,                         -- date of the sender's file (art. 53 e), if told
    numero_domanda            INTEGER NOT NULL,             -- the domanda that it opens or belongs to
    collegato_a               INTEGER REFERENCES registrazioni (id), -- the registration that it follows up; NULL for a new domanda
    digest                    BLOB    NOT NULL CHECK (length(digest) = 32), -- digest of the content: equal content, equal digest
    digest_versione           INTEGER NOT NULL,             -- how that digest was computed
    impronta                  BLOB    NOT NULL CHECK (length(impronta) = 32), -- imprint of the element's bytes as received (art. 53 f)
    impronta_algoritmo        TEXT    NOT NULL,             -- `SHA-256`
    canale                    TEXT    NOT NULL,             -- `MODI`, `PDD`, `LOTTO`
    message_id                TEXT    NOT NULL,             -- our id of the message it came with
    certificato_sha256        TEXT    NOT NULL,             -- SHA-256 of the client certificate, hex
    UNIQUE (registro, anno, numero),
    UNIQUE (chiave_invio, ente, servizio) -- in this order a key is found without its ente, too
) STRICT;

CREATE INDEX registrazioni_impronta ON registrazioni (impronta);

CREATE TRIGGER registrazioni_non_si_modificano BEFORE UPDATE ON registrazioni
BEGIN
    SELECT RAISE(ABORT, 'registrazioni: una registrazione non si modifica (DPR 445/2000 art. 53); si annulla in annullamenti');
END;

CREATE TRIGGER registrazioni_non_si_cancellano BEFORE DELETE ON registrazioni
BEGIN
    SELECT RAISE(ABORT, 'registrazioni: una registrazione non si cancella (DPR 445/2000 art. 53); si annulla in annullamenti');
END;

-- INSERT OR REPLACE deletes what it replaces without firing the trigger above; this one it does fire.
CREATE TRIGGER registrazioni_non_si_sostituiscono BEFORE INSERT ON registrazioni
WHEN EXISTS (SELECT 1 FROM registrazioni WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM registrazioni WHERE protocollo = NEW.protocollo)
  OR EXISTS (SELECT 1 FROM registrazioni WHERE registro = NEW.registro AND anno = NEW.anno AND numero = NEW.numero)
  OR EXISTS (SELECT 1 FROM registrazioni
             WHERE ente = NEW.ente AND servizio = NEW.servizio AND chiave_invio = NEW.chiave_invio)
BEGIN
    SELECT RAISE(ABORT, 'registrazioni: numero o ChiaveInvio gia registrati');
END;

-- Annulments (art. 54): a new fact beside the registration, which stays readable.
CREATE TABLE annullamenti (
    id                   INTEGER NOT NULL PRIMARY KEY,
    registrazione        INTEGER NOT NULL REFERENCES registrazioni (id), -- what is annulled
    campo                TEXT,             -- the one field that is annulled; NULL = the whole registration
    annullata_il         INTEGER NOT NULL, -- when
    operatore            TEXT    NOT NULL, -- by whom
    motivo               TEXT    NOT NULL, -- why
    provvedimento_numero TEXT    NOT NULL, -- number of the authorising provision
    provvedimento_data   TEXT    NOT NULL  -- its date
) STRICT;

CREATE INDEX annullamenti_registrazione ON annullamenti (registrazione);

CREATE TRIGGER annullamenti_non_si_modificano BEFORE UPDATE ON annullamenti
BEGIN
    SELECT RAISE(ABORT, 'annullamenti: un annullamento non si modifica (DPR 445/2000 art. 54)');
END;

CREATE TRIGGER annullamenti_non_si_cancellano BEFORE DELETE ON annullamenti
BEGIN
    SELECT RAISE(ABORT, 'annullamenti: un annullamento non si cancella (DPR 445/2000 art. 54)');
END;

CREATE TRIGGER annullamenti_non_si_sostituiscono BEFORE INSERT ON annullamenti
WHEN EXISTS (SELECT 1 FROM annullamenti WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'annullamenti: un annullamento non si sostituisce (DPR 445/2000 art. 54)');
END;

-- Classification and internal assignment: the only data of a registration that may change. One row a change; the
-- newest counts, the older ones are the history.
CREATE TABLE assegnazioni (
    id            INTEGER NOT NULL PRIMARY KEY,
    registrazione INTEGER NOT NULL REFERENCES registrazioni (id), -- of which registration
    dal           INTEGER NOT NULL, -- since when
    operatore     TEXT    NOT NULL, -- set by whom
    classifica    TEXT,             -- entry of the classification scheme
    assegnazione  TEXT              -- the office that works it
) STRICT;

CREATE INDEX assegnazioni_registrazione ON assegnazioni (registrazione);

-- Receipts, byte for byte as they were told.
CREATE TABLE ricevute (
    registrazione INTEGER NOT NULL PRIMARY KEY REFERENCES registrazioni (id), -- of which registration
    formato       TEXT    NOT NULL, -- `XML`
    bytes_len     INTEGER NOT NULL, -- length before compression
    codec         TEXT    NOT NULL, -- `IDENTITY`, `ZSTD`
    chiave_id     TEXT,             -- the key that encrypts them; NULL = in clear
    bytes         BLOB    NOT NULL  -- the receipt
) STRICT;

CREATE TRIGGER ricevute_non_si_modificano BEFORE UPDATE ON ricevute
BEGIN
    SELECT RAISE(ABORT, 'ricevute: una ricevuta non si modifica');
END;

CREATE TRIGGER ricevute_non_si_cancellano BEFORE DELETE ON ricevute
BEGIN
    SELECT RAISE(ABORT, 'ricevute: una ricevuta non si cancella');
END;

CREATE TRIGGER ricevute_non_si_sostituiscono BEFORE INSERT ON ricevute
WHEN EXISTS (SELECT 1 FROM ricevute WHERE registrazione = NEW.registrazione)
BEGIN
    SELECT RAISE(ABORT, 'ricevute: una ricevuta non si sostituisce');
END;

-- Requests as received, once each. Personal data: purged when their time is over; the registration stays.
CREATE TABLE payload (
    registrazione INTEGER NOT NULL PRIMARY KEY REFERENCES registrazioni (id), -- of which registration
    bytes_len     INTEGER NOT NULL, -- length before compression
    domanda_da    INTEGER NOT NULL, -- where the Domanda begins, before compression
    domanda_a     INTEGER NOT NULL, -- where it ends (the byte after its last): `impronta` is of these bytes
    codec         TEXT    NOT NULL, -- `IDENTITY`, `ZSTD`
    chiave_id     TEXT,             -- the key that encrypts them; NULL = in clear
    bytes         BLOB    NOT NULL, -- the whole request
    CHECK (0 <= domanda_da AND domanda_da <= domanda_a AND domanda_a <= bytes_len)
) STRICT;

-- ── The domande ─────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE domande (
    numero                  INTEGER NOT NULL PRIMARY KEY CHECK (numero >= 1), -- numero domanda: stays for life
    registrazione           INTEGER NOT NULL REFERENCES registrazioni (id), -- the registration that opened it
    servizio                TEXT    NOT NULL, -- service
    ente                    TEXT    NOT NULL, -- the patronato that sent it
    richiedente             TEXT    NOT NULL, -- codice fiscale of who asks
    richiedente_nome        TEXT    NOT NULL, -- given name, as sent
    richiedente_cognome     TEXT    NOT NULL, -- family name, as sent
    richiedente_email       TEXT,             -- for notices
    richiedente_cellulare   TEXT,             -- for notices
    richiedente_indirizzo   TEXT,             -- for notices
    presentata_da           TEXT    NOT NULL, -- `GENITORE`, `TUTORE_DEL_GENITORE`
    genitore_tutelato       TEXT,             -- codice fiscale of the parent under tutelage
    mandato_numero          TEXT    NOT NULL, -- mandate of assistance
    mandato_data            TEXT    NOT NULL, -- its date
    modalita                TEXT    NOT NULL, -- how to pay: `CC`, `BD`, `LP`, `ES`, `CP`
    iban                    TEXT,             -- where the modality has one
    intestato_richiedente   INTEGER CHECK (intestato_richiedente IN (0, 1)), -- whether the account is the richiedente's
    dichiarazioni           TEXT    NOT NULL  -- declarations made: a JSON array of [code, version of its text on the day, sub-choice or null]
) STRICT;

-- One row a child: state and decorrenza are per sheet.
CREATE TABLE schede (
    numero_domanda         INTEGER NOT NULL REFERENCES domande (numero), -- of which domanda
    posto                  INTEGER NOT NULL CHECK (posto >= 1), -- place in it, from 1
    servizio               TEXT    NOT NULL, -- service (repeated here for the index of live sheets)
    codice_fiscale         TEXT    NOT NULL, -- the child
    data_nascita           TEXT,             -- date of birth
    qualita                TEXT    NOT NULL, -- in which quality the richiedente asks
    disabile               INTEGER NOT NULL CHECK (disabile IN (0, 1)), -- whether the child is disabled
    affido_condiviso       INTEGER NOT NULL CHECK (affido_condiviso IN (0, 1)), -- shared custody by a court
    altro_genitore         TEXT,             -- codice fiscale of the other parent
    altro_genitore_assente TEXT,             -- why there is none
    ripartizione           TEXT    NOT NULL, -- how the sum is split
    decorrenza_presunta    TEXT,             -- expected first month
    stato                  TEXT    NOT NULL CHECK (stato IN (
        'PRESENTATA', 'IN_ISTRUTTORIA', 'IN_EVIDENZA_CITTADINO', 'IN_EVIDENZA_SEDE', 'SOSPESA', 'ACCOLTA',
        'RESPINTA', 'DECADUTA', 'REVOCATA', 'RINUNCIATA', 'SOSTITUITA', 'ANNULLATA')), -- state of the sheet
    stato_dal              INTEGER NOT NULL, -- since when
    azione_richiesta       TEXT    NOT NULL CHECK (azione_richiesta IN (
        'NESSUNA', 'ALLEGARE_DOCUMENTI', 'AGGIORNARE_DATI_FIGLIO', 'AGGIORNARE_IBAN', 'INTEGRARE_ALTRO_GENITORE')), -- what is asked of the sender
    PRIMARY KEY (numero_domanda, posto)
) STRICT, WITHOUT ROWID;

-- AT-6: one live sheet a child. A sheet in any other state leaves the child free to be asked for again.
CREATE UNIQUE INDEX schede_vive ON schede (servizio, codice_fiscale)
    WHERE stato IN ('PRESENTATA', 'IN_ISTRUTTORIA', 'IN_EVIDENZA_CITTADINO', 'IN_EVIDENZA_SEDE', 'SOSPESA', 'ACCOLTA');

-- Documents that came with a registration; their bytes lie in the payload.
CREATE TABLE allegati (
    registrazione INTEGER NOT NULL REFERENCES registrazioni (id), -- with which registration
    posto         INTEGER NOT NULL CHECK (posto >= 1), -- place in it, from 1
    tipo          TEXT    NOT NULL, -- word of the codelist
    nome_file     TEXT    NOT NULL, -- file name, as sent
    tipo_mime     TEXT    NOT NULL, -- word of the codelist
    impronta      BLOB    NOT NULL CHECK (length(impronta) = 32), -- SHA-256 of the decoded bytes
    bytes_len     INTEGER NOT NULL, -- length of the decoded bytes
    PRIMARY KEY (registrazione, posto)
) STRICT, WITHOUT ROWID;

-- The feed of changes. A reader keeps the last `cursore` it has seen and asks for what comes after.
CREATE TABLE variazioni (
    cursore          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- grows with every row, never reused
    istante          INTEGER NOT NULL, -- when
    tipo             TEXT    NOT NULL, -- `REGISTRATA`
    ente             TEXT    NOT NULL, -- whose domanda
    servizio         TEXT    NOT NULL, -- service
    numero_domanda   INTEGER NOT NULL, -- which domanda
    posto            INTEGER,          -- which sheet; NULL = the domanda as a whole
    registrazione    INTEGER REFERENCES registrazioni (id), -- the registration that is the cause, if one is
    presentata_il    INTEGER,          -- its presentation
    registrata_il    INTEGER,          -- its registration
    stato            TEXT,             -- the new state
    azione_richiesta TEXT              -- the new action
) STRICT;

-- ── The trace ───────────────────────────────────────────────────────────────────────────────────────────────────

-- One row a message. Bytes that a registration holds are not repeated here.
CREATE TABLE tracce (
    id                     INTEGER NOT NULL PRIMARY KEY,
    message_id             TEXT    NOT NULL UNIQUE, -- the id that we gave it
    ricevuto_il            INTEGER NOT NULL, -- first byte seen, true clock
    canale                 TEXT    NOT NULL, -- `MODI`, `PDD`, `LOTTO`
    indirizzo              TEXT,             -- where from
    certificato_soggetto   TEXT    NOT NULL, -- subject of the client certificate
    certificato_seriale    TEXT    NOT NULL, -- its serial number
    tls                    TEXT    NOT NULL, -- version and suite
    ente                   TEXT,             -- the ente, once known
    user_id                TEXT,             -- from Identity
    codice_ufficio         TEXT,             -- from Identity
    identity_forma         TEXT,             -- which form Identity had
    uri                    TEXT    NOT NULL, -- HTTP method and path, without query
    servizio               TEXT,             -- service
    operazione             TEXT,             -- operation
    id_mittente            TEXT,             -- the sender's own message id
    id_transazione         TEXT,             -- the sender's transaction id
    chiave_invio           TEXT,             -- the sender's key
    digest                 TEXT,             -- digest of the content, hex
    impronta               TEXT,             -- SHA-256 of the element as received, hex
    richiesta_len          INTEGER NOT NULL, -- size of the request
    risposta_len           INTEGER NOT NULL, -- size of the answer (of the receipt, where only that was known)
    http_status            INTEGER NOT NULL, -- status of the answer
    esito                  TEXT    NOT NULL, -- `REGISTRATA`, `RIPETUTA`, `RIFIUTATA`, `AMMISSIBILE`, `RISPOSTA`, `FAULT`, `INTERROTTA`
    codice                 TEXT,             -- the first error code
    codici                 TEXT,             -- every error code, a JSON array; NULL = none
    protocollo             TEXT,             -- the number, if there is one
    numero_domanda         INTEGER,          -- the domanda, if there is one
    tempi_us               TEXT    NOT NULL, -- step and microseconds, a JSON array of pairs
    note                   TEXT,             -- notes, a JSON array; NULL = none
    chiave_id              TEXT,             -- the key that encrypts the bytes below; NULL = in clear
    richiesta_codec        TEXT,             -- `IDENTITY`, `ZSTD`
    richiesta_bytes_len    INTEGER,          -- length before compression
    richiesta              BLOB,             -- the request as received; NULL when a registration holds it
    risposta_codec         TEXT,             -- `IDENTITY`, `ZSTD`
    risposta_bytes_len     INTEGER,          -- length before compression
    risposta               BLOB              -- the answer as sent; NULL when a registration holds its receipt
) STRICT;

CREATE INDEX tracce_ricevuto ON tracce (ricevuto_il);
CREATE INDEX tracce_ente ON tracce (ente, ricevuto_il) WHERE ente IS NOT NULL;
-- The trace of a registered message is found through its registration, which has indexes for number and key.
CREATE INDEX tracce_protocollo ON tracce (protocollo) WHERE protocollo IS NOT NULL AND esito <> 'REGISTRATA';
CREATE INDEX tracce_chiave ON tracce (chiave_invio) WHERE chiave_invio IS NOT NULL AND esito <> 'REGISTRATA';
CREATE INDEX tracce_mittente ON tracce (id_mittente) WHERE id_mittente IS NOT NULL;
CREATE INDEX tracce_transazione ON tracce (id_transazione) WHERE id_transazione IS NOT NULL;
CREATE INDEX tracce_codice ON tracce (codice, ricevuto_il) WHERE codice IS NOT NULL;
CREATE INDEX tracce_esito ON tracce (esito, ricevuto_il) WHERE esito <> 'REGISTRATA';

-- Refusals at the door, before there was a message.
CREATE TABLE porta (
    id        INTEGER NOT NULL PRIMARY KEY,
    istante   INTEGER NOT NULL, -- when, true clock
    indirizzo TEXT,             -- from where
    soggetto  TEXT,             -- subject of the certificate, when one was shown
    seriale   TEXT,             -- its serial number
    sni       TEXT,             -- the name asked for
    codice    TEXT    NOT NULL, -- code of the catalogue
    causa     TEXT    NOT NULL, -- the cause, one sentence
    rimedio   TEXT    NOT NULL  -- what to do about it
) STRICT;

CREATE INDEX porta_istante ON porta (istante);

-- ── What the engine reads: version 1 ────────────────────────────────────────────────────────────────────────────
-- Instants as RFC 3339 in UTC. Columns are only ever added; another meaning gets another version.

CREATE VIEW motore_domande_v1 AS
SELECT
    r.protocollo,                          -- protocol number
    d.numero           AS numero_domanda,  -- numero domanda
    d.servizio,                            -- service
    r.registro,                            -- register
    r.anno,                                -- year of the number
    strftime('%Y-%m-%dT%H:%M:%S', r.presentata_il / 1000, 'unixepoch')
        || printf('.%03dZ', r.presentata_il % 1000) AS presentata_il, -- request wholly received
    strftime('%Y-%m-%dT%H:%M:%S', r.registrata_il / 1000, 'unixepoch')
        || printf('.%03dZ', r.registrata_il % 1000) AS registrata_il, -- registered
    r.ente,                                -- patronato
    r.ente_denominazione,                  -- its name
    r.codice_ufficio   AS ufficio,         -- its ufficio
    r.user_id          AS operatore,       -- its operator
    r.chiave_invio,                        -- its own key
    d.mandato_numero,                      -- mandate
    d.mandato_data,                        -- date of the mandate
    r.data_pratica,                        -- date of its file
    r.canale,                              -- channel
    d.richiedente      AS richiedente_codice_fiscale, -- who asks
    d.richiedente_nome,                    -- given name
    d.richiedente_cognome,                 -- family name
    d.richiedente_email,                   -- for notices
    d.richiedente_cellulare,               -- for notices
    d.richiedente_indirizzo,               -- for notices
    d.presentata_da,                       -- in which quality
    d.genitore_tutelato,                   -- the parent under tutelage
    d.modalita         AS pagamento_modalita, -- how to pay
    d.iban             AS pagamento_iban,  -- where to
    d.intestato_richiedente AS pagamento_intestato_richiedente, -- whether the account is the richiedente's
    (SELECT count(*) FROM schede s WHERE s.numero_domanda = d.numero) AS numero_schede, -- how many sheets
    r.oggetto,                             -- subject
    lower(hex(r.impronta)) AS impronta,    -- SHA-256 of the Domanda as received
    EXISTS (SELECT 1 FROM annullamenti a WHERE a.registrazione = r.id AND a.campo IS NULL) AS annullata -- whether it was annulled
FROM domande d
JOIN registrazioni r ON r.id = d.registrazione AND r.numero_domanda = d.numero; -- either way round by a key

CREATE VIEW motore_schede_v1 AS
SELECT
    r.protocollo,                          -- protocol number of the domanda
    s.numero_domanda,                      -- its numero domanda
    s.posto,                               -- place of the sheet, from 1
    s.servizio,                            -- service
    s.codice_fiscale,                      -- the child
    s.data_nascita,                        -- date of birth
    s.qualita,                             -- in which quality the richiedente asks
    s.disabile,                            -- 0, 1
    s.affido_condiviso,                    -- 0, 1
    s.altro_genitore,                      -- the other parent
    s.altro_genitore_assente,              -- why there is none
    s.ripartizione,                        -- how the sum is split
    s.stato,                               -- state
    strftime('%Y-%m-%dT%H:%M:%S', s.stato_dal / 1000, 'unixepoch')
        || printf('.%03dZ', s.stato_dal % 1000) AS stato_dal, -- since when
    s.azione_richiesta,                    -- what is asked of the sender
    s.decorrenza_presunta                  -- expected first month: `2021-07`
FROM schede s
JOIN domande d ON d.numero = s.numero_domanda
JOIN registrazioni r ON r.id = d.registrazione AND r.numero_domanda = d.numero;

CREATE VIEW motore_dichiarazioni_v1 AS
SELECT
    d.numero           AS numero_domanda,  -- numero domanda
    j.value ->> 0      AS codice,          -- `D1`…
    j.value ->> 1      AS versione_testo,  -- version of the text
    j.value ->> 2      AS scelta           -- sub-choice
FROM domande d
JOIN json_each(d.dichiarazioni) j;

CREATE VIEW motore_allegati_v1 AS
SELECT
    r.numero_domanda,                      -- numero domanda
    r.protocollo,                          -- the registration it came with
    a.posto,                               -- place in it, from 1
    a.tipo,                                -- word of the codelist
    a.nome_file,                           -- file name
    a.tipo_mime,                           -- word of the codelist
    lower(hex(a.impronta)) AS impronta,    -- SHA-256
    a.bytes_len                            -- length
FROM allegati a
JOIN registrazioni r ON r.id = a.registrazione;
