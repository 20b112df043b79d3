-- Beyond 24 hours an emergency register is authorised for periods of a week at most, each by a provision of its own (DPR
-- 445/2000 art. 63 c. 2).

CREATE TABLE proroghe (
    id                   INTEGER NOT NULL PRIMARY KEY,
    emergenza            INTEGER NOT NULL REFERENCES emergenze (id), -- of which interruption
    dal                  INTEGER NOT NULL, -- where the period begins: where the one before it ends
    al                   INTEGER NOT NULL CHECK (al > dal AND al - dal <= 604800000), -- where it ends
    concessa_il          INTEGER NOT NULL, -- when it was written down
    operatore            TEXT    NOT NULL, -- by whom
    provvedimento_numero TEXT    NOT NULL, -- number of the authorising provision
    provvedimento_data   TEXT    NOT NULL, -- its date
    UNIQUE (emergenza, dal)
) STRICT;

CREATE TRIGGER proroghe_non_si_modificano BEFORE UPDATE ON proroghe
BEGIN
    SELECT RAISE(ABORT, 'proroghe: una proroga non si modifica (DPR 445/2000 art. 63)');
END;
CREATE TRIGGER proroghe_non_si_cancellano BEFORE DELETE ON proroghe
BEGIN
    SELECT RAISE(ABORT, 'proroghe: una proroga non si cancella (DPR 445/2000 art. 63)');
END;
CREATE TRIGGER proroghe_non_si_sostituiscono BEFORE INSERT ON proroghe
WHEN EXISTS (SELECT 1 FROM proroghe WHERE id = NEW.id OR (emergenza = NEW.emergenza AND dal = NEW.dal))
BEGIN
    SELECT RAISE(ABORT, 'proroghe: una proroga non si sostituisce (DPR 445/2000 art. 63)');
END;
