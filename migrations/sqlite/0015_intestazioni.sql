-- The headers of an exchange lie in one value, compressed, one behind the other; and the table is one tree by instant and
-- message, in which it is asked for, instead of three (ADR 17).

CREATE TABLE egov_nuova (
    message_id               TEXT    NOT NULL, -- of which message (`tracce`, `registrazioni`)
    istante                  INTEGER NOT NULL, -- when it came, true clock
    porta                    TEXT    NOT NULL, -- our porta: IdentificativoPorta of the records
    controparte              TEXT,             -- who the busta says that it is from
    identificatore           TEXT,             -- its Identificatore
    risposta_identificatore  TEXT,             -- that of our answer
    risposta_istante         INTEGER,          -- when our answer was made
    certificato_sha256       TEXT    NOT NULL, -- fingerprint of the client certificate
    forma                    TEXT CHECK (forma IN ('RISPOSTA', 'A', 'B', 'C')), -- how it was answered; NULL = it was not
    codec                    TEXT,             -- of `intestazioni`: `ZSTD_D2`, `IDENTITY`
    richiesta_len            INTEGER,          -- bytes of the Intestazione as received, which stands first; NULL = none
    risposta_len             INTEGER,          -- bytes of the Intestazione as sent; NULL = none
    intestazioni             BLOB,             -- both
    legami                   TEXT,             -- prefixes that the message bound around the first, as attributes; NULL = none
    livello                  INTEGER CHECK (livello BETWEEN 0 AND 9), -- severity of the diagnostic
    diagnostico              TEXT,             -- what is known of a message without Intestazione
    PRIMARY KEY (istante, message_id),
    CHECK ((intestazioni IS NULL) = (codec IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO egov_nuova
SELECT message_id, istante, porta, controparte, identificatore, risposta_identificatore, risposta_istante,
       certificato_sha256, forma,
       CASE WHEN coalesce(richiesta, risposta) IS NOT NULL THEN 'IDENTITY' END,
       length(richiesta), length(risposta),
       CASE WHEN coalesce(richiesta, risposta) IS NOT NULL
            THEN CAST(coalesce(CAST(richiesta AS TEXT), '') || coalesce(CAST(risposta AS TEXT), '') AS BLOB) END,
       legami, livello, diagnostico
FROM egov
ORDER BY istante, message_id;

DROP TABLE egov;
ALTER TABLE egov_nuova RENAME TO egov;

CREATE INDEX egov_identificatore ON egov (identificatore) WHERE identificatore IS NOT NULL;
CREATE INDEX egov_risposta ON egov (risposta_identificatore) WHERE risposta_identificatore IS NOT NULL;

CREATE TRIGGER egov_non_si_modifica BEFORE UPDATE ON egov
BEGIN
    SELECT RAISE(ABORT, 'egov: una traccia non si modifica');
END;

CREATE TRIGGER egov_non_si_cancella BEFORE DELETE ON egov
BEGIN
    SELECT RAISE(ABORT, 'egov: una traccia non si cancella');
END;
