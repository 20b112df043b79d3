-- Lots: thousands of domande in one message. The bytes of each lie in a spool, which with this store is a file beside it
-- (`<file>.lotti/<id>`); here are its place in the queue, how far it was worked, and the outcome of every item.

-- One row a lot that was taken in.
CREATE TABLE lotti (
    numero             INTEGER NOT NULL PRIMARY KEY, -- internal; grows with the lots, so that the oldest has the lowest
    id                 TEXT    NOT NULL UNIQUE, -- what the sender asks with, and the name of the spool
    chiave_invio       TEXT    NOT NULL, -- the sender's key of the lot; no registration has the same
    ente               TEXT    NOT NULL, -- whose
    servizio           TEXT    NOT NULL, -- handed to which service
    digest             BLOB    NOT NULL CHECK (length(digest) = 32), -- SHA-256 of its bytes, decoded
    ente_denominazione TEXT    NOT NULL, -- the ente's name on that day, for the receipts
    codice_ufficio     TEXT    NOT NULL, -- the ufficio, from Identity
    user_id            TEXT    NOT NULL, -- the operator, from Identity
    certificato_sha256 TEXT    NOT NULL, -- SHA-256 of the client certificate, hex
    message_id         TEXT    NOT NULL, -- our id of the message it came with
    presentato_il      INTEGER NOT NULL, -- when it was durable: every item counts as presented then
    byte               INTEGER NOT NULL CHECK (byte >= 0), -- bytes in the spool
    elementi           INTEGER CHECK (elementi >= 0), -- how many items; NULL = nobody has counted them yet
    stato              TEXT    NOT NULL DEFAULT 'accepted' CHECK (stato IN ('accepted', 'processing', 'done')), -- where it is in its life
    sospeso            INTEGER NOT NULL DEFAULT 0 CHECK (sospeso IN (0, 1)), -- held back by who runs the gateway
    preso_da           TEXT,             -- the worker that it is with; NULL = with none
    preso_fino_a       INTEGER,          -- until when (true time), if that worker is not heard of
    fatto_elementi     INTEGER NOT NULL DEFAULT 0 CHECK (fatto_elementi >= 0), -- so many items have their outcome
    fatto_byte         INTEGER NOT NULL DEFAULT 0 CHECK (fatto_byte BETWEEN 0 AND byte), -- so many bytes of the spool were worked
    fatto_riga         INTEGER,          -- the next byte's line in the sender's file; NULL = before the first item
    fatto_colonna      INTEGER,          -- and its column
    registrate         INTEGER NOT NULL DEFAULT 0 CHECK (registrate >= 0), -- items registered by this lot
    ripetute           INTEGER NOT NULL DEFAULT 0 CHECK (ripetute >= 0), -- items that had their number before
    rifiutate          INTEGER NOT NULL DEFAULT 0 CHECK (rifiutate >= 0), -- items refused
    non_lette          INTEGER NOT NULL DEFAULT 0 CHECK (non_lette >= 0), -- items that the lot ended before
    iniziato_il        INTEGER,          -- first group worked (true time)
    avanzato_il        INTEGER,          -- last group worked (true time)
    concluso_il        INTEGER,          -- ended (true time)
    interruzione       BLOB,             -- why it ended before its end: the `Errore` elements that the sender is told
    UNIQUE (chiave_invio, ente, servizio), -- in this order a key is found without its ente, too
    CHECK ((preso_da IS NULL) = (preso_fino_a IS NULL)),
    CHECK ((fatto_riga IS NULL) = (fatto_colonna IS NULL)),
    CHECK ((stato = 'done') = (concluso_il IS NOT NULL)),
    CHECK (interruzione IS NULL OR stato = 'done'),
    CHECK (registrate + ripetute + rifiutate = fatto_elementi)
) STRICT;

-- The queue, oldest first, and what an ente has in it.
CREATE INDEX lotti_aperti ON lotti (numero) WHERE stato <> 'done';
CREATE INDEX lotti_aperti_ente ON lotti (ente) WHERE stato <> 'done';

-- What came stays as it came; what was worked is not worked back; what has ended does not change any more.
CREATE TRIGGER lotti_avanzano BEFORE UPDATE ON lotti
WHEN OLD.stato = 'done'
  OR NEW.numero <> OLD.numero OR NEW.id <> OLD.id OR NEW.chiave_invio <> OLD.chiave_invio OR NEW.ente <> OLD.ente
  OR NEW.servizio <> OLD.servizio OR NEW.digest <> OLD.digest OR NEW.ente_denominazione <> OLD.ente_denominazione
  OR NEW.codice_ufficio <> OLD.codice_ufficio OR NEW.user_id <> OLD.user_id
  OR NEW.certificato_sha256 <> OLD.certificato_sha256 OR NEW.message_id <> OLD.message_id
  OR NEW.presentato_il <> OLD.presentato_il OR NEW.byte <> OLD.byte
  OR NEW.fatto_elementi < OLD.fatto_elementi OR NEW.fatto_byte < OLD.fatto_byte
  OR NEW.registrate < OLD.registrate OR NEW.ripetute < OLD.ripetute OR NEW.rifiutate < OLD.rifiutate
BEGIN
    SELECT RAISE(ABORT, 'lotti: un lotto avanza e basta, e concluso non cambia');
END;

CREATE TRIGGER lotti_non_si_cancellano BEFORE DELETE ON lotti
BEGIN
    SELECT RAISE(ABORT, 'lotti: un lotto resta');
END;

CREATE TRIGGER lotti_non_si_sostituiscono BEFORE INSERT ON lotti
WHEN EXISTS (SELECT 1 FROM lotti WHERE numero = NEW.numero)
  OR EXISTS (SELECT 1 FROM lotti WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM lotti
             WHERE chiave_invio = NEW.chiave_invio AND ente = NEW.ente AND servizio = NEW.servizio)
BEGIN
    SELECT RAISE(ABORT, 'lotti: lotto o ChiaveInvio gia accettati');
END;

-- The outcome of each item that was worked, in input order. Narrow: there are as many as items were ever sent.
CREATE TABLE lotti_esiti (
    lotto         INTEGER NOT NULL REFERENCES lotti (numero), -- of which lot
    posto         INTEGER NOT NULL CHECK (posto >= 1), -- place in it, from 1
    chiave_invio  TEXT,             -- the item's key; NULL = it could not be read
    riga          INTEGER NOT NULL, -- where it begins in the sender's file: line
    colonna       INTEGER NOT NULL, -- and column
    registrazione INTEGER REFERENCES registrazioni (id), -- REGISTRATA: its registration; NULL = RIFIUTATA
    ripetizione   INTEGER NOT NULL CHECK (ripetizione IN (0, 1)), -- it had that registration before this lot came to it
    errori_len    INTEGER,          -- RIFIUTATA: length of `errori` before compression
    errori_codec  TEXT,             -- `IDENTITY`, `ZSTD`
    errori        BLOB,             -- the `Errore` elements that its sender is told
    PRIMARY KEY (lotto, posto),
    CHECK ((registrazione IS NULL) = (errori IS NOT NULL)),
    CHECK ((errori IS NULL) = (errori_len IS NULL) AND (errori IS NULL) = (errori_codec IS NULL)),
    CHECK (ripetizione = 0 OR registrazione IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX lotti_esiti_rifiutati ON lotti_esiti (lotto, posto) WHERE registrazione IS NULL;

CREATE TRIGGER lotti_esiti_non_si_modificano BEFORE UPDATE ON lotti_esiti
BEGIN
    SELECT RAISE(ABORT, 'lotti_esiti: un esito non si modifica');
END;

CREATE TRIGGER lotti_esiti_non_si_cancellano BEFORE DELETE ON lotti_esiti
BEGIN
    SELECT RAISE(ABORT, 'lotti_esiti: un esito non si cancella');
END;

CREATE TRIGGER lotti_esiti_non_si_sostituiscono BEFORE INSERT ON lotti_esiti
WHEN EXISTS (SELECT 1 FROM lotti_esiti WHERE lotto = NEW.lotto AND posto = NEW.posto)
BEGIN
    SELECT RAISE(ABORT, 'lotti_esiti: un esito non si sostituisce');
END;

-- A key is a registration's or a lot's, never both: looked at by whoever writes either, and held here.
CREATE TRIGGER registrazioni_con_chiave_propria BEFORE INSERT ON registrazioni
WHEN EXISTS (SELECT 1 FROM lotti
             WHERE chiave_invio = NEW.chiave_invio AND ente = NEW.ente AND servizio = NEW.servizio)
BEGIN
    SELECT RAISE(ABORT, 'registrazioni: la ChiaveInvio e di un lotto');
END;

CREATE TRIGGER lotti_con_chiave_propria BEFORE INSERT ON lotti
WHEN EXISTS (SELECT 1 FROM registrazioni
             WHERE chiave_invio = NEW.chiave_invio AND ente = NEW.ente AND servizio = NEW.servizio)
BEGIN
    SELECT RAISE(ABORT, 'lotti: la ChiaveInvio e di una registrazione');
END;
