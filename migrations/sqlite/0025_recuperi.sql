-- What a recovery brought back into a register that was put back from a copy: which numbers, out of which store, by whom.
-- The registrations themselves are as they were told; that they came back is told here.

CREATE TABLE recuperi (
    id                   INTEGER NOT NULL PRIMARY KEY,
    registro             TEXT    NOT NULL REFERENCES registro (registro), -- of which register
    anno                 INTEGER NOT NULL,                                -- of which year
    da                   INTEGER NOT NULL CHECK (da >= 1),                -- the first number that came back
    a                    INTEGER NOT NULL CHECK (a >= da),                -- the last one
    quante               INTEGER NOT NULL CHECK (quante BETWEEN 1 AND a - da + 1), -- how many came back
    archivio             TEXT    NOT NULL,                                -- out of which store
    recuperate_il        INTEGER NOT NULL,                                -- when
    operatore            TEXT    NOT NULL,                                -- by whom
    motivo               TEXT    NOT NULL,                                -- why
    provvedimento_numero TEXT    NOT NULL,                                -- number of the authorising provision
    provvedimento_data   TEXT    NOT NULL                                 -- its date
) STRICT;

CREATE TRIGGER recuperi_non_si_modificano BEFORE UPDATE ON recuperi
BEGIN
    SELECT RAISE(ABORT, 'recuperi: un recupero non si modifica');
END;
CREATE TRIGGER recuperi_non_si_cancellano BEFORE DELETE ON recuperi
BEGIN
    SELECT RAISE(ABORT, 'recuperi: un recupero non si cancella');
END;
CREATE TRIGGER recuperi_non_si_sostituiscono BEFORE INSERT ON recuperi
WHEN EXISTS (SELECT 1 FROM recuperi WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'recuperi: un recupero non si sostituisce');
END;
