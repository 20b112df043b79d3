-- Who may use the console, and who is signed in to it (ADR 20).

CREATE TABLE operatori (
    id                 INTEGER NOT NULL PRIMARY KEY,
    nome               TEXT    NOT NULL UNIQUE, -- what they sign in as
    ruolo              TEXT    NOT NULL CHECK (ruolo IN ('LETTORE', 'INDAGATORE', 'GESTORE')),
    password           TEXT,                    -- argon2id in PHC form; NULL = by certificate alone
    certificato_sha256 TEXT UNIQUE,             -- SHA-256 of the client certificate, hex; NULL = by password alone
    creato_il          INTEGER NOT NULL,        -- when
    disabilitato_il    INTEGER,                 -- since when it is shut out; NULL = it is not
    CHECK (password IS NOT NULL OR certificato_sha256 IS NOT NULL)
) STRICT;

-- An operator stays: what they looked at names them.
CREATE TRIGGER operatori_non_si_cancellano BEFORE DELETE ON operatori
BEGIN
    SELECT RAISE(ABORT, 'operatori: un operatore si disabilita, non si cancella');
END;
CREATE TRIGGER operatori_non_cambiano_nome BEFORE UPDATE OF id, nome ON operatori
BEGIN
    SELECT RAISE(ABORT, 'operatori: un operatore non cambia nome');
END;

CREATE TABLE sessioni (
    impronta  BLOB    NOT NULL PRIMARY KEY,              -- SHA-256 of the token, which only the browser has
    operatore INTEGER NOT NULL REFERENCES operatori (id), -- whose
    creata_il INTEGER NOT NULL,                          -- when they signed in
    vista_il  INTEGER NOT NULL                           -- when they last did something
) STRICT, WITHOUT ROWID;

CREATE INDEX sessioni_operatore ON sessioni (operatore);
CREATE INDEX sessioni_vista ON sessioni (vista_il);
