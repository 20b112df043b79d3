-- The channel of the porte di dominio: which buste e-Gov were taken in, and what was exchanged with them.

-- The Identificativi that were used up: a busta with one of them is EGOV_IT_110. Written in the transaction of what became
-- of the message, and forgotten once a busta of that day would be too old anyhow. The day is the one that the Identificativo
-- itself tells, so that they are found and forgotten by one key.
CREATE TABLE buste (
    giorno         TEXT NOT NULL, -- `2021-07-15`
    identificatore TEXT NOT NULL, -- `PatronatoUno_PatronatoUnoSPCoopIT_0000042_2021-07-15_10:31`
    PRIMARY KEY (giorno, identificatore)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER buste_non_si_modificano BEFORE UPDATE ON buste
BEGIN
    SELECT RAISE(ABORT, 'buste: un Identificatore accolto non si modifica');
END;

-- One row an exchange: the Intestazione that came and the one that went back, byte by byte. What had none has a diagnostic.
CREATE TABLE egov (
    id                       INTEGER NOT NULL PRIMARY KEY,
    message_id               TEXT    NOT NULL UNIQUE, -- of which message (`tracce`, `registrazioni`)
    istante                  INTEGER NOT NULL, -- when it came, true clock
    porta                    TEXT    NOT NULL, -- our porta: IdentificativoPorta of the records
    controparte              TEXT,             -- who the busta says that it is from
    identificatore           TEXT,             -- its Identificatore
    risposta_identificatore  TEXT,             -- that of our answer
    risposta_istante         INTEGER,          -- when our answer was made
    certificato_sha256       TEXT    NOT NULL, -- fingerprint of the client certificate
    forma                    TEXT CHECK (forma IN ('RISPOSTA', 'A', 'B', 'C')), -- how it was answered; NULL = it was not
    richiesta                BLOB,             -- the Intestazione as received
    legami                   TEXT,             -- prefixes that the message bound around it, as attributes; NULL = none
    risposta                 BLOB,             -- the Intestazione as sent
    livello                  INTEGER CHECK (livello BETWEEN 0 AND 9), -- severity of the diagnostic
    diagnostico              TEXT              -- what is known of a message without Intestazione
) STRICT;

CREATE INDEX egov_istante ON egov (istante);
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

-- The numbers of our own Identificativi; drawn by blocks.
INSERT INTO contatori (nome, ultimo) VALUES ('egov', 0);
