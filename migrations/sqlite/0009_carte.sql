-- The papers that are made of a registration: the receipt as pages, the summary. What a paper shows is fixed with its first
-- download: later ones, and later releases, only carry these bytes.
CREATE TABLE carte (
    registrazione INTEGER NOT NULL REFERENCES registrazioni (id), -- of which registration
    documento     TEXT    NOT NULL CHECK (documento IN ('RICEVUTA', 'RIEPILOGO')), -- which paper
    formato       TEXT    NOT NULL CHECK (formato IN ('XML', 'PDF')), -- in which form
    impaginazione INTEGER NOT NULL, -- the layout that made it
    composta_il   INTEGER NOT NULL, -- when it was first asked for; nothing in it depends on that
    impronta      BLOB    NOT NULL CHECK (length(impronta) = 32), -- SHA-256 of its bytes
    bytes_len     INTEGER NOT NULL, -- length before compression
    codec         TEXT    NOT NULL, -- `IDENTITY`, `ZSTD`
    chiave_id     TEXT,             -- the key that encrypts them; NULL = in clear
    bytes         BLOB    NOT NULL, -- the paper
    PRIMARY KEY (registrazione, documento, formato)
) STRICT;

CREATE TRIGGER carte_non_si_modificano BEFORE UPDATE ON carte
BEGIN
    SELECT RAISE(ABORT, 'carte: un documento emesso non si modifica');
END;

CREATE TRIGGER carte_non_si_sostituiscono BEFORE INSERT ON carte
WHEN EXISTS (SELECT 1 FROM carte
             WHERE registrazione = NEW.registrazione AND documento = NEW.documento AND formato = NEW.formato)
BEGIN
    SELECT RAISE(IGNORE);
END;

-- A receipt stays like the one that was told. A summary is the request in other words: it goes with it, and never alone.
CREATE TRIGGER carte_non_si_cancellano BEFORE DELETE ON carte
WHEN OLD.documento = 'RICEVUTA' OR EXISTS (SELECT 1 FROM payload WHERE registrazione = OLD.registrazione)
BEGIN
    SELECT RAISE(ABORT, 'carte: un documento emesso non si cancella');
END;

CREATE TRIGGER payload_con_il_suo_riepilogo AFTER DELETE ON payload
BEGIN
    DELETE FROM carte WHERE registrazione = OLD.registrazione AND documento = 'RIEPILOGO';
END;
