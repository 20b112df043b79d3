-- Declared holes: numbers that were told, or can have been, by a store that is no more. After a restore the register goes
-- on behind them, and they are never given again.

CREATE TABLE lacune (
    id                   INTEGER NOT NULL PRIMARY KEY,
    registro             TEXT    NOT NULL REFERENCES registro (registro), -- of which register
    anno                 INTEGER NOT NULL,                                -- of which year
    da                   INTEGER NOT NULL CHECK (da >= 1),                -- the first number that is not there
    a                    INTEGER NOT NULL CHECK (a >= da),                -- the last one
    domanda_da           INTEGER,                                         -- the first number of a domanda that is not there; NULL = none
    domanda_a            INTEGER,                                         -- the last one
    dichiarata_il        INTEGER NOT NULL,                                -- when
    operatore            TEXT    NOT NULL,                                -- by whom
    motivo               TEXT    NOT NULL,                                -- why
    provvedimento_numero TEXT    NOT NULL,                                -- number of the authorising provision
    provvedimento_data   TEXT    NOT NULL,                                -- its date
    CHECK ((domanda_da IS NULL) = (domanda_a IS NULL)),
    CHECK (domanda_da IS NULL OR domanda_da <= domanda_a)
) STRICT;

CREATE TRIGGER lacune_non_si_modificano BEFORE UPDATE ON lacune
BEGIN
    SELECT RAISE(ABORT, 'lacune: una lacuna non si modifica');
END;
CREATE TRIGGER lacune_non_si_cancellano BEFORE DELETE ON lacune
BEGIN
    SELECT RAISE(ABORT, 'lacune: una lacuna non si cancella');
END;
CREATE TRIGGER lacune_non_si_sostituiscono BEFORE INSERT ON lacune
WHEN EXISTS (SELECT 1 FROM lacune WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'lacune: una lacuna non si sostituisce');
END;
CREATE TRIGGER lacune_senza_registrazioni BEFORE INSERT ON lacune
WHEN EXISTS (SELECT 1 FROM registrazioni
             WHERE registro = NEW.registro AND anno = NEW.anno AND numero BETWEEN NEW.da AND NEW.a)
BEGIN
    SELECT RAISE(ABORT, 'lacune: vi sono registrazioni con quei numeri');
END;
