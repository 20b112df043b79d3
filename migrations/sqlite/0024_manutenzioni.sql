-- Maintenance mode: while it is on no gateway of this store takes a new domanda, act or lot. The newest row is in force.

CREATE TABLE manutenzioni (
    id        INTEGER NOT NULL PRIMARY KEY,
    istante   INTEGER NOT NULL, -- when it was ordered (true time)
    operatore TEXT    NOT NULL, -- by whom
    messaggio TEXT CHECK (length(messaggio) BETWEEN 1 AND 300), -- what senders are told; NULL = it ends here
    fino_a    INTEGER,          -- when it ends by itself (true time); NULL = when somebody ends it
    CHECK (fino_a IS NULL OR (messaggio IS NOT NULL AND fino_a > istante))
) STRICT;

CREATE TRIGGER manutenzioni_non_si_modificano BEFORE UPDATE ON manutenzioni
BEGIN
    SELECT RAISE(ABORT, 'manutenzioni: si aggiunge soltanto');
END;
CREATE TRIGGER manutenzioni_non_si_cancellano BEFORE DELETE ON manutenzioni
BEGIN
    SELECT RAISE(ABORT, 'manutenzioni: si aggiunge soltanto');
END;
CREATE TRIGGER manutenzioni_non_si_sostituiscono BEFORE INSERT ON manutenzioni
WHEN EXISTS (SELECT 1 FROM manutenzioni WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'manutenzioni: si aggiunge soltanto');
END;
