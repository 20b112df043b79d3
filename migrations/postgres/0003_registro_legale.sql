-- The register as the law asks (DPR 445/2000 art. 53-55, 61, 63; spec/domain.md §2): digests kept from the registration
-- on, daily registers, annulments once each, the emergency register; and the role of who keeps it.

-- ── The keeper of the register ──────────────────────────────────────────────────────────────────────────────────

-- Art. 61: the service for the register authorises annulments, closes days, opens the emergency register. The gateway,
-- which strangers talk to, may do none of it; the keeper may do what the gateway does, because what was taken in by
-- hand is registered by it.
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'varco_registro') THEN
        BEGIN
            CREATE ROLE varco_registro LOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- made at the same moment, for another database
        END;
    END IF;
    IF NOT pg_has_role('varco_registro', 'varco_gateway', 'MEMBER') THEN
        BEGIN
            GRANT varco_gateway TO varco_registro;
        EXCEPTION WHEN unique_violation THEN
            NULL; -- granted at the same moment, for another database
        END;
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO varco_registro', current_database());
END
$$;

GRANT USAGE ON SCHEMA public TO varco_registro;

-- ── Digests ─────────────────────────────────────────────────────────────────────────────────────────────────────

-- NULL only where the registration is older than these columns.
ALTER TABLE registrazioni ADD COLUMN ricevuta_sha256  bytea CHECK (length(ricevuta_sha256) = 32);  -- SHA-256 of its receipt
ALTER TABLE registrazioni ADD COLUMN richiesta_sha256 bytea CHECK (length(richiesta_sha256) = 32); -- SHA-256 of the whole request; outlives the payload

-- A request whose time was over: one row each, written by whatever purges `payload`, in the same transaction. Without
-- it `varco register verify` says that the request is missing.
CREATE TABLE scarti (
    registrazione bigint      NOT NULL PRIMARY KEY, -- whose request
    scartata_il   timestamptz NOT NULL, -- when
    motivo        text        NOT NULL  -- by which rule
);

-- ── Annulments and assignments ──────────────────────────────────────────────────────────────────────────────────

-- The whole once, and each field once.
CREATE UNIQUE INDEX annullamenti_una_volta ON annullamenti (registrazione, coalesce(campo, ''));

CREATE TRIGGER assegnazioni_non_si_modificano BEFORE UPDATE ON assegnazioni
FOR EACH ROW EXECUTE FUNCTION varco_vietato('assegnazioni: una assegnazione non si modifica; ne segue un''altra');

CREATE TRIGGER assegnazioni_non_si_cancellano BEFORE DELETE ON assegnazioni
FOR EACH ROW EXECUTE FUNCTION varco_vietato('assegnazioni: una assegnazione non si cancella; ne segue un''altra');

CREATE TRIGGER assegnazioni_non_si_svuotano BEFORE TRUNCATE ON assegnazioni
FOR EACH STATEMENT EXECUTE FUNCTION varco_vietato('assegnazioni: una assegnazione non si cancella; ne segue un''altra');

-- ── Daily registers (art. 53 c. 2) ──────────────────────────────────────────────────────────────────────────────

-- One row a day and register, empty days included. The day is closed first (`registro.chiuso_fino_a`): from then on
-- its rows cannot change, and the document says what they say.
CREATE TABLE registri_giornalieri (
    registro    text COLLATE "C" NOT NULL REFERENCES registro (registro), -- of which register
    giorno      date        NOT NULL, -- which day, in Europe/Rome
    composto_il timestamptz NOT NULL, -- when the document was made
    fino_anno   smallint    NOT NULL, -- the last registration up to the end of the day: its year…
    fino_numero bigint      NOT NULL, -- …and its number; 0 = none yet
    precedente  bytea       NOT NULL CHECK (length(precedente) = 32), -- `sha256` of the day before; zeroes on the first day
    sha256      bytea       NOT NULL CHECK (length(sha256) = 32), -- SHA-256 of the document
    bytes_len   bigint      NOT NULL, -- length before compression
    codec       text        NOT NULL, -- `IDENTITY`, `ZSTD`
    chiave_id   text,                 -- the key that encrypts it; NULL = in clear
    bytes       bytea       NOT NULL, -- the document
    PRIMARY KEY (registro, giorno)
);

ALTER TABLE registri_giornalieri ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TRIGGER registri_giornalieri_non_si_modificano BEFORE UPDATE ON registri_giornalieri
FOR EACH ROW EXECUTE FUNCTION varco_vietato('registri_giornalieri: un registro giornaliero non si modifica (DPR 445/2000 art. 53)');

CREATE TRIGGER registri_giornalieri_non_si_cancellano BEFORE DELETE ON registri_giornalieri
FOR EACH ROW EXECUTE FUNCTION varco_vietato('registri_giornalieri: un registro giornaliero non si cancella (DPR 445/2000 art. 53)');

CREATE TRIGGER registri_giornalieri_non_si_svuotano BEFORE TRUNCATE ON registri_giornalieri
FOR EACH STATEMENT EXECUTE FUNCTION varco_vietato('registri_giornalieri: un registro giornaliero non si cancella (DPR 445/2000 art. 53)');

-- ── Emergency register (art. 63) ────────────────────────────────────────────────────────────────────────────────

-- One row an interruption.
CREATE TABLE emergenze (
    id                   bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    registro             text COLLATE "C" NOT NULL REFERENCES registro (registro), -- which register stands still
    aperta_il            timestamptz NOT NULL, -- since when
    causa                text        NOT NULL, -- why
    operatore            text        NOT NULL, -- opened by whom
    provvedimento_numero text        NOT NULL, -- number of the authorising provision
    provvedimento_data   date        NOT NULL, -- its date
    chiusa_il            timestamptz,          -- until when; NULL = it is open
    chiusa_da            text                  -- closed by whom
);

CREATE UNIQUE INDEX emergenze_una_aperta ON emergenze (registro) WHERE chiusa_il IS NULL;

CREATE TRIGGER emergenze_si_chiudono_soltanto BEFORE UPDATE ON emergenze
FOR EACH ROW WHEN (
       OLD.chiusa_il IS NOT NULL OR NEW.chiusa_il IS NULL OR NEW.chiusa_da IS NULL
    OR NEW.id <> OLD.id OR NEW.registro <> OLD.registro OR NEW.aperta_il <> OLD.aperta_il OR NEW.causa <> OLD.causa
    OR NEW.operatore <> OLD.operatore OR NEW.provvedimento_numero <> OLD.provvedimento_numero
    OR NEW.provvedimento_data <> OLD.provvedimento_data)
EXECUTE FUNCTION varco_vietato('emergenze: un''emergenza si chiude soltanto, e una volta (DPR 445/2000 art. 63)');

CREATE TRIGGER emergenze_non_si_cancellano BEFORE DELETE ON emergenze
FOR EACH ROW EXECUTE FUNCTION varco_vietato('emergenze: un''emergenza non si cancella (DPR 445/2000 art. 63)');

CREATE TRIGGER emergenze_non_si_svuotano BEFORE TRUNCATE ON emergenze
FOR EACH STATEMENT EXECUTE FUNCTION varco_vietato('emergenze: un''emergenza non si cancella (DPR 445/2000 art. 63)');

-- The emergency that is open on a register: in the row that every draw locks, so that no draw slips past it.
ALTER TABLE registro ADD COLUMN emergenza bigint; -- its id; NULL = none

-- Emergency number ↔ ordinary number. `EMG-<registro>` has its own progressive, over all interruptions.
CREATE TABLE emergenza_registrazioni (
    registro      text COLLATE "C" NOT NULL REFERENCES registro (registro), -- which register: `AUF` for `EMG-AUF`
    numero        bigint      NOT NULL CHECK (numero >= 1), -- the emergency number
    emergenza     bigint      NOT NULL REFERENCES emergenze (id), -- of which interruption
    istante       timestamptz NOT NULL, -- when it was given: the date of presentation
    registrazione bigint      NOT NULL UNIQUE, -- the ordinary registration
    PRIMARY KEY (registro, numero)
);

CREATE TRIGGER emergenza_registrazioni_non_si_modificano BEFORE UPDATE ON emergenza_registrazioni
FOR EACH ROW EXECUTE FUNCTION varco_vietato('emergenza_registrazioni: una correlazione non si modifica (DPR 445/2000 art. 63)');

CREATE TRIGGER emergenza_registrazioni_non_si_cancellano BEFORE DELETE ON emergenza_registrazioni
FOR EACH ROW EXECUTE FUNCTION varco_vietato('emergenza_registrazioni: una correlazione non si cancella (DPR 445/2000 art. 63)');

CREATE TRIGGER emergenza_registrazioni_non_si_svuotano BEFORE TRUNCATE ON emergenza_registrazioni
FOR EACH STATEMENT EXECUTE FUNCTION varco_vietato('emergenza_registrazioni: una correlazione non si cancella (DPR 445/2000 art. 63)');

-- ── What each role may do, and no more ──────────────────────────────────────────────────────────────────────────

-- The gateway reads what stands beside a registration (a retry is told that it was annulled); it writes none of it.
GRANT SELECT ON scarti, registri_giornalieri, emergenze, emergenza_registrazioni TO varco_gateway;

-- The keeper adds annulments, closes days, opens and closes the emergency register, annuls the sheets of an annulled
-- domanda; a row that stands it cannot change either.
GRANT INSERT ON annullamenti, assegnazioni, registri_giornalieri, emergenze, emergenza_registrazioni TO varco_registro;
GRANT UPDATE (chiuso_fino_a, emergenza) ON registro TO varco_registro;
GRANT UPDATE (chiusa_il, chiusa_da) ON emergenze TO varco_registro;
GRANT UPDATE (stato, stato_dal, azione_richiesta) ON schede TO varco_registro;

-- The auditor reads all of it, with what was attached by name and imprint, and still no request.
GRANT SELECT ON scarti, registri_giornalieri, emergenze, emergenza_registrazioni TO varco_audit;
GRANT SELECT (numero_domanda, registrazione, posto, nome_file, tipo_mime, impronta) ON allegati TO varco_audit;
