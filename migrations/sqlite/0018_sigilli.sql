-- The chain of proof (ADR 21): blocks that seal what was written, one after the other, and the documents that close its days.
-- A few seconds after a row is durable its hash is here; who changes it afterwards, or takes it away, is found.

CREATE TABLE sigilli (
    numero  INTEGER NOT NULL PRIMARY KEY CHECK (numero >= 1), -- of the block, from 1 without gap
    giorno  TEXT    NOT NULL, -- in whose chain it stands: the day on which it was sealed, Europe/Rome
    testata TEXT    NOT NULL, -- what its seal is the hash of, as JSON: number, instant, how far each table was sealed, root, block before
    sale    BLOB    NOT NULL CHECK (length(sale) = 32), -- what hides personal values in an export; never leaves the store
    voci    BLOB    NOT NULL, -- one entry a row: kind, name, SHA-256 of its columns, of its request and answer
    sigillo BLOB    NOT NULL CHECK (length(sigillo) = 32) -- SHA-256 of `testata`
) STRICT;

CREATE INDEX sigilli_giorno ON sigilli (giorno, numero);

CREATE TRIGGER sigilli_non_si_modificano BEFORE UPDATE ON sigilli
BEGIN
    SELECT RAISE(ABORT, 'sigilli: un sigillo non si modifica');
END;

CREATE TRIGGER sigilli_non_si_cancellano BEFORE DELETE ON sigilli
BEGIN
    SELECT RAISE(ABORT, 'sigilli: un sigillo non si cancella');
END;

CREATE TRIGGER sigilli_seguono BEFORE INSERT ON sigilli
WHEN NEW.numero <> (SELECT coalesce(max(numero), 0) + 1 FROM sigilli)
  OR NEW.giorno <= (SELECT coalesce(max(giorno), '') FROM sigilli_giorni)
BEGIN
    SELECT RAISE(ABORT, 'sigilli: un sigillo segue l''ultimo, in un giorno aperto');
END;

-- One row a day, empty days included: the document that is signed and kept outside.
CREATE TABLE sigilli_giorni (
    giorno    TEXT NOT NULL PRIMARY KEY, -- which day, in Europe/Rome
    documento TEXT NOT NULL              -- its document, byte for byte as the anchor has it
) STRICT, WITHOUT ROWID;

CREATE TRIGGER sigilli_giorni_non_si_modificano BEFORE UPDATE ON sigilli_giorni
BEGIN
    SELECT RAISE(ABORT, 'sigilli_giorni: la chiusura di un giorno non si modifica');
END;

CREATE TRIGGER sigilli_giorni_non_si_cancellano BEFORE DELETE ON sigilli_giorni
BEGIN
    SELECT RAISE(ABORT, 'sigilli_giorni: la chiusura di un giorno non si cancella');
END;

CREATE TRIGGER sigilli_giorni_seguono BEFORE INSERT ON sigilli_giorni
WHEN NEW.giorno <= (SELECT coalesce(max(giorno), '') FROM sigilli_giorni)
BEGIN
    SELECT RAISE(ABORT, 'sigilli_giorni: i giorni si chiudono in ordine, una volta');
END;
