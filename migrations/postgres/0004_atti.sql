-- Acts about a domanda that is there: each registered beside the registration that opened it, and only while the domanda
-- is still the one that its rules saw.

-- Grows with every change of the domanda or of one of its sheets, whoever makes it.
ALTER TABLE domande ADD COLUMN versione bigint NOT NULL DEFAULT 1; -- which of its states this is

-- Whatever is told, an update is the next state and no other.
CREATE FUNCTION varco_domanda_cambia() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.versione := OLD.versione + 1;
    RETURN NEW;
END
$$;

CREATE TRIGGER domande_versione BEFORE UPDATE ON domande
FOR EACH ROW EXECUTE FUNCTION varco_domanda_cambia();

-- The domanda of the row has changed with it.
CREATE FUNCTION varco_cambia_la_domanda() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE domande d SET versione = d.versione + 1 WHERE d.numero = NEW.numero_domanda;
    RETURN NULL;
END
$$;

CREATE TRIGGER schede_versione AFTER UPDATE ON schede
FOR EACH ROW EXECUTE FUNCTION varco_cambia_la_domanda();

-- ── Which state may follow which ────────────────────────────────────────────────────────────────────────────────

-- The allowed moves of a sheet (spec/domain.md §5.1); a state does not follow itself.
CREATE TABLE mosse (
    da text COLLATE "C" NOT NULL, -- from this state
    a  text COLLATE "C" NOT NULL, -- to this one
    PRIMARY KEY (da, a),
    CHECK (da <> a)
);

INSERT INTO mosse (da, a) VALUES
    ('PRESENTATA', 'IN_ISTRUTTORIA'), ('PRESENTATA', 'RINUNCIATA'), ('PRESENTATA', 'SOSTITUITA'), ('PRESENTATA', 'ANNULLATA'),
    ('IN_ISTRUTTORIA', 'IN_EVIDENZA_CITTADINO'), ('IN_ISTRUTTORIA', 'IN_EVIDENZA_SEDE'), ('IN_ISTRUTTORIA', 'SOSPESA'), ('IN_ISTRUTTORIA', 'ACCOLTA'), ('IN_ISTRUTTORIA', 'RESPINTA'), ('IN_ISTRUTTORIA', 'RINUNCIATA'), ('IN_ISTRUTTORIA', 'SOSTITUITA'), ('IN_ISTRUTTORIA', 'ANNULLATA'),
    ('IN_EVIDENZA_CITTADINO', 'IN_ISTRUTTORIA'), ('IN_EVIDENZA_CITTADINO', 'IN_EVIDENZA_SEDE'), ('IN_EVIDENZA_CITTADINO', 'SOSPESA'), ('IN_EVIDENZA_CITTADINO', 'ACCOLTA'), ('IN_EVIDENZA_CITTADINO', 'RESPINTA'), ('IN_EVIDENZA_CITTADINO', 'RINUNCIATA'), ('IN_EVIDENZA_CITTADINO', 'SOSTITUITA'), ('IN_EVIDENZA_CITTADINO', 'ANNULLATA'),
    ('IN_EVIDENZA_SEDE', 'IN_ISTRUTTORIA'), ('IN_EVIDENZA_SEDE', 'IN_EVIDENZA_CITTADINO'), ('IN_EVIDENZA_SEDE', 'SOSPESA'), ('IN_EVIDENZA_SEDE', 'ACCOLTA'), ('IN_EVIDENZA_SEDE', 'RESPINTA'), ('IN_EVIDENZA_SEDE', 'RINUNCIATA'), ('IN_EVIDENZA_SEDE', 'SOSTITUITA'), ('IN_EVIDENZA_SEDE', 'ANNULLATA'),
    ('SOSPESA', 'IN_ISTRUTTORIA'), ('SOSPESA', 'IN_EVIDENZA_CITTADINO'), ('SOSPESA', 'IN_EVIDENZA_SEDE'), ('SOSPESA', 'ACCOLTA'), ('SOSPESA', 'RESPINTA'), ('SOSPESA', 'RINUNCIATA'), ('SOSPESA', 'SOSTITUITA'), ('SOSPESA', 'ANNULLATA'),
    ('ACCOLTA', 'IN_ISTRUTTORIA'), ('ACCOLTA', 'IN_EVIDENZA_CITTADINO'), ('ACCOLTA', 'IN_EVIDENZA_SEDE'), ('ACCOLTA', 'SOSPESA'), ('ACCOLTA', 'DECADUTA'), ('ACCOLTA', 'REVOCATA'), ('ACCOLTA', 'RINUNCIATA'), ('ACCOLTA', 'SOSTITUITA'), ('ACCOLTA', 'ANNULLATA'),
    ('RESPINTA', 'IN_ISTRUTTORIA'), ('RESPINTA', 'ANNULLATA'),
    ('DECADUTA', 'IN_ISTRUTTORIA'), ('DECADUTA', 'ANNULLATA'),
    ('REVOCATA', 'IN_ISTRUTTORIA'), ('REVOCATA', 'ANNULLATA'),
    ('RINUNCIATA', 'ANNULLATA'),
    ('SOSTITUITA', 'ANNULLATA');

-- No sheet moves otherwise, whoever moves it.
CREATE FUNCTION varco_mossa() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM mosse m WHERE m.da = OLD.stato AND m.a = NEW.stato) THEN
        RAISE EXCEPTION 'schede: da % non si passa a %', OLD.stato, NEW.stato
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER schede_mosse BEFORE UPDATE OF stato ON schede
FOR EACH ROW WHEN (OLD.stato <> NEW.stato) EXECUTE FUNCTION varco_mossa();

-- ── The acts ────────────────────────────────────────────────────────────────────────────────────────────────────

-- One row an act; what it says for the protocol stands in its registration.
CREATE TABLE atti (
    registrazione  bigint   NOT NULL PRIMARY KEY, -- the act's own registration
    anno           smallint NOT NULL, -- and its year
    numero_domanda bigint   NOT NULL REFERENCES domande (numero), -- which domanda it is about
    operazione     text     NOT NULL, -- which act: `RinunciaDomanda`
    mandato_numero text     NOT NULL, -- mandate of assistance
    mandato_data   date     NOT NULL, -- its date
    dettagli       jsonb              -- what only this act says: an object; NULL = nothing
);

CREATE INDEX atti_domanda ON atti (numero_domanda);

CREATE TRIGGER atti_versione AFTER INSERT ON atti
FOR EACH ROW EXECUTE FUNCTION varco_cambia_la_domanda();

CREATE TRIGGER atti_non_si_modificano BEFORE UPDATE OR DELETE ON atti
FOR EACH ROW EXECUTE FUNCTION varco_vietato('atti: un atto registrato resta');

CREATE TRIGGER atti_non_si_svuotano BEFORE TRUNCATE ON atti
FOR EACH STATEMENT EXECUTE FUNCTION varco_vietato('atti: un atto registrato resta');

CREATE VIEW motore_atti_v1 AS
SELECT
    r.protocollo,                          -- protocol number of the act
    a.numero_domanda,                      -- numero domanda
    a.operazione,                          -- which act
    r.servizio,                            -- service
    r.presentata_il,                       -- request wholly received
    r.registrata_il,                       -- registered
    r.ente,                                -- patronato
    r.codice_ufficio   AS ufficio,         -- its ufficio
    r.user_id          AS operatore,       -- its operator
    r.chiave_invio,                        -- its own key
    a.mandato_numero,                      -- mandate
    a.mandato_data,                        -- date of the mandate
    r.oggetto,                             -- subject
    EXISTS (SELECT 1 FROM annullamenti n WHERE n.registrazione = r.id AND n.campo IS NULL) AS annullata, -- whether it was annulled
    a.dettagli                             -- what only this act says: an object
FROM atti a
JOIN registrazioni r ON r.id = a.registrazione AND r.anno = a.anno;

-- ── What each role may do, and no more ──────────────────────────────────────────────────────────────────────────

-- The gateway moves sheets within `mosse`, and locks a domanda before (a lock needs a column to update; what it writes
-- there is the next state and no other).
GRANT SELECT ON mosse, atti, motore_atti_v1 TO varco_gateway;
GRANT INSERT ON atti TO varco_gateway;
GRANT UPDATE (stato, stato_dal, azione_richiesta) ON schede TO varco_gateway;
GRANT UPDATE (versione) ON domande TO varco_gateway;

GRANT SELECT ON mosse, motore_atti_v1 TO varco_motore;
GRANT SELECT ON atti TO varco_audit;
