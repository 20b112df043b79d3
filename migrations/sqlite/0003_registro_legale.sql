-- The register as the law asks (DPR 445/2000 art. 53-55, 61, 63; spec/domain.md §2): digests kept from the registration
-- on, daily registers, annulments once each, the emergency register.

-- ── Digests ─────────────────────────────────────────────────────────────────────────────────────────────────────

-- NULL only where the registration is older than these columns.
ALTER TABLE registrazioni ADD COLUMN ricevuta_sha256  BLOB CHECK (length(ricevuta_sha256) = 32);  -- SHA-256 of its receipt
ALTER TABLE registrazioni ADD COLUMN richiesta_sha256 BLOB CHECK (length(richiesta_sha256) = 32); -- SHA-256 of the whole request; outlives the payload

-- A request whose time was over: one row each, written by whatever purges `payload`, in the same transaction. Without
-- it `varco register verify` says that the request is missing.
CREATE TABLE scarti (
    registrazione INTEGER NOT NULL PRIMARY KEY REFERENCES registrazioni (id), -- whose request
    scartata_il   INTEGER NOT NULL, -- when
    motivo        TEXT    NOT NULL  -- by which rule
) STRICT;

-- ── Annulments and assignments ──────────────────────────────────────────────────────────────────────────────────

-- The whole once, and each field once.
CREATE UNIQUE INDEX annullamenti_una_volta ON annullamenti (registrazione, coalesce(campo, ''));

-- INSERT OR REPLACE deletes what it replaces without firing the trigger of DELETE; this one it does fire.
CREATE TRIGGER annullamenti_una_volta_sola BEFORE INSERT ON annullamenti
WHEN EXISTS (SELECT 1 FROM annullamenti
             WHERE registrazione = NEW.registrazione AND coalesce(campo, '') = coalesce(NEW.campo, ''))
BEGIN
    SELECT RAISE(ABORT, 'annullamenti: gia annullato');
END;

CREATE TRIGGER assegnazioni_non_si_modificano BEFORE UPDATE ON assegnazioni
BEGIN
    SELECT RAISE(ABORT, 'assegnazioni: una assegnazione non si modifica; ne segue un''altra');
END;

CREATE TRIGGER assegnazioni_non_si_cancellano BEFORE DELETE ON assegnazioni
BEGIN
    SELECT RAISE(ABORT, 'assegnazioni: una assegnazione non si cancella; ne segue un''altra');
END;

-- ── Daily registers (art. 53 c. 2) ──────────────────────────────────────────────────────────────────────────────

-- One row a day and register, empty days included. The day is closed first (`registro.chiuso_fino_a`): from then on
-- its rows cannot change, and the document says what they say.
CREATE TABLE registri_giornalieri (
    registro    TEXT    NOT NULL REFERENCES registro (registro), -- of which register
    giorno      TEXT    NOT NULL,             -- which day, in Europe/Rome
    composto_il INTEGER NOT NULL,             -- when the document was made
    fino_anno   INTEGER NOT NULL,             -- the last registration up to the end of the day: its year…
    fino_numero INTEGER NOT NULL,             -- …and its number; 0 = none yet
    precedente  BLOB    NOT NULL CHECK (length(precedente) = 32), -- `sha256` of the day before; zeroes on the first day
    sha256      BLOB    NOT NULL CHECK (length(sha256) = 32), -- SHA-256 of the document
    bytes_len   INTEGER NOT NULL,             -- length before compression
    codec       TEXT    NOT NULL,             -- `IDENTITY`, `ZSTD`
    chiave_id   TEXT,                         -- the key that encrypts it; NULL = in clear
    bytes       BLOB    NOT NULL,             -- the document
    PRIMARY KEY (registro, giorno)
) STRICT;

CREATE TRIGGER registri_giornalieri_non_si_modificano BEFORE UPDATE ON registri_giornalieri
BEGIN
    SELECT RAISE(ABORT, 'registri_giornalieri: un registro giornaliero non si modifica (DPR 445/2000 art. 53)');
END;

CREATE TRIGGER registri_giornalieri_non_si_cancellano BEFORE DELETE ON registri_giornalieri
BEGIN
    SELECT RAISE(ABORT, 'registri_giornalieri: un registro giornaliero non si cancella (DPR 445/2000 art. 53)');
END;

CREATE TRIGGER registri_giornalieri_non_si_sostituiscono BEFORE INSERT ON registri_giornalieri
WHEN EXISTS (SELECT 1 FROM registri_giornalieri WHERE registro = NEW.registro AND giorno = NEW.giorno)
BEGIN
    SELECT RAISE(ABORT, 'registri_giornalieri: un registro giornaliero non si sostituisce (DPR 445/2000 art. 53)');
END;

-- ── Emergency register (art. 63) ────────────────────────────────────────────────────────────────────────────────

-- One row an interruption.
CREATE TABLE emergenze (
    id                   INTEGER NOT NULL PRIMARY KEY,
    registro             TEXT    NOT NULL REFERENCES registro (registro), -- which register stands still
    aperta_il            INTEGER NOT NULL, -- since when
    causa                TEXT    NOT NULL, -- why
    operatore            TEXT    NOT NULL, -- opened by whom
    provvedimento_numero TEXT    NOT NULL, -- number of the authorising provision
    provvedimento_data   TEXT    NOT NULL, -- its date
    chiusa_il            INTEGER,          -- until when; NULL = it is open
    chiusa_da            TEXT              -- closed by whom
) STRICT;

CREATE UNIQUE INDEX emergenze_una_aperta ON emergenze (registro) WHERE chiusa_il IS NULL;

CREATE TRIGGER emergenze_si_chiudono_soltanto BEFORE UPDATE ON emergenze
WHEN OLD.chiusa_il IS NOT NULL OR NEW.chiusa_il IS NULL OR NEW.chiusa_da IS NULL
  OR NEW.id <> OLD.id OR NEW.registro <> OLD.registro OR NEW.aperta_il <> OLD.aperta_il OR NEW.causa <> OLD.causa
  OR NEW.operatore <> OLD.operatore OR NEW.provvedimento_numero <> OLD.provvedimento_numero
  OR NEW.provvedimento_data <> OLD.provvedimento_data
BEGIN
    SELECT RAISE(ABORT, 'emergenze: un''emergenza si chiude soltanto, e una volta (DPR 445/2000 art. 63)');
END;

CREATE TRIGGER emergenze_non_si_cancellano BEFORE DELETE ON emergenze
BEGIN
    SELECT RAISE(ABORT, 'emergenze: un''emergenza non si cancella (DPR 445/2000 art. 63)');
END;

-- The emergency that is open on a register: in the row that every draw locks, so that no draw slips past it.
ALTER TABLE registro ADD COLUMN emergenza INTEGER; -- its id; NULL = none

-- Emergency number ↔ ordinary number. `EMG-<registro>` has its own progressive, over all interruptions.
CREATE TABLE emergenza_registrazioni (
    registro      TEXT    NOT NULL REFERENCES registro (registro), -- which register: `AUF` for `EMG-AUF`
    numero        INTEGER NOT NULL CHECK (numero >= 1), -- the emergency number
    emergenza     INTEGER NOT NULL REFERENCES emergenze (id), -- of which interruption
    istante       INTEGER NOT NULL, -- when it was given: the date of presentation
    registrazione INTEGER NOT NULL UNIQUE REFERENCES registrazioni (id), -- the ordinary registration
    PRIMARY KEY (registro, numero)
) STRICT;

CREATE TRIGGER emergenza_registrazioni_non_si_modificano BEFORE UPDATE ON emergenza_registrazioni
BEGIN
    SELECT RAISE(ABORT, 'emergenza_registrazioni: una correlazione non si modifica (DPR 445/2000 art. 63)');
END;

CREATE TRIGGER emergenza_registrazioni_non_si_cancellano BEFORE DELETE ON emergenza_registrazioni
BEGIN
    SELECT RAISE(ABORT, 'emergenza_registrazioni: una correlazione non si cancella (DPR 445/2000 art. 63)');
END;
