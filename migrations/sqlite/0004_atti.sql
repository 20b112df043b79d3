-- Acts about a domanda that is there: each registered beside the registration that opened it, and only while the domanda
-- is still the one that its rules saw.

-- Grows with every change of the domanda or of one of its sheets, whoever makes it.
ALTER TABLE domande ADD COLUMN versione INTEGER NOT NULL DEFAULT 1; -- which of its states this is

-- Whatever is told, an update is the next state and no other. (A trigger does not fire itself again.)
CREATE TRIGGER domande_versione AFTER UPDATE ON domande
WHEN NEW.versione <> OLD.versione + 1
BEGIN
    UPDATE domande SET versione = OLD.versione + 1 WHERE numero = NEW.numero;
END;

CREATE TRIGGER schede_versione AFTER UPDATE ON schede
BEGIN
    UPDATE domande SET versione = versione + 1 WHERE numero = NEW.numero_domanda;
END;

-- ── Which state may follow which ────────────────────────────────────────────────────────────────────────────────

-- The allowed moves of a sheet (spec/domain.md §5.1); a state does not follow itself.
CREATE TABLE mosse (
    da TEXT NOT NULL, -- from this state
    a  TEXT NOT NULL, -- to this one
    PRIMARY KEY (da, a),
    CHECK (da <> a)
) STRICT, WITHOUT ROWID;

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
CREATE TRIGGER schede_mosse BEFORE UPDATE OF stato ON schede
WHEN OLD.stato <> NEW.stato
 AND NOT EXISTS (SELECT 1 FROM mosse WHERE da = OLD.stato AND a = NEW.stato)
BEGIN
    SELECT RAISE(ABORT, 'schede: mossa non ammessa (tabella mosse)');
END;

-- ── The acts ────────────────────────────────────────────────────────────────────────────────────────────────────

-- One row an act; what it says for the protocol stands in its registration.
CREATE TABLE atti (
    registrazione  INTEGER NOT NULL PRIMARY KEY REFERENCES registrazioni (id), -- the act's own registration
    numero_domanda INTEGER NOT NULL REFERENCES domande (numero), -- which domanda it is about
    operazione     TEXT    NOT NULL, -- which act: `RinunciaDomanda`
    mandato_numero TEXT    NOT NULL, -- mandate of assistance
    mandato_data   TEXT    NOT NULL, -- its date
    dettagli       TEXT    CHECK (dettagli IS NULL OR json_valid(dettagli)) -- what only this act says: a JSON object; NULL = nothing
) STRICT;

CREATE INDEX atti_domanda ON atti (numero_domanda);

CREATE TRIGGER atti_versione AFTER INSERT ON atti
BEGIN
    UPDATE domande SET versione = versione + 1 WHERE numero = NEW.numero_domanda;
END;

CREATE TRIGGER atti_non_si_modificano BEFORE UPDATE ON atti
BEGIN
    SELECT RAISE(ABORT, 'atti: un atto registrato resta');
END;

CREATE TRIGGER atti_non_si_cancellano BEFORE DELETE ON atti
BEGIN
    SELECT RAISE(ABORT, 'atti: un atto registrato resta');
END;

-- INSERT OR REPLACE deletes what it replaces without firing the trigger above; this one it does fire.
CREATE TRIGGER atti_non_si_sostituiscono BEFORE INSERT ON atti
WHEN EXISTS (SELECT 1 FROM atti WHERE registrazione = NEW.registrazione)
BEGIN
    SELECT RAISE(ABORT, 'atti: un atto registrato resta');
END;

CREATE VIEW motore_atti_v1 AS
SELECT
    r.protocollo,                          -- protocol number of the act
    a.numero_domanda,                      -- numero domanda
    a.operazione,                          -- which act
    r.servizio,                            -- service
    strftime('%Y-%m-%dT%H:%M:%S', r.presentata_il / 1000, 'unixepoch')
        || printf('.%03dZ', r.presentata_il % 1000) AS presentata_il, -- request wholly received
    strftime('%Y-%m-%dT%H:%M:%S', r.registrata_il / 1000, 'unixepoch')
        || printf('.%03dZ', r.registrata_il % 1000) AS registrata_il, -- registered
    r.ente,                                -- patronato
    r.codice_ufficio   AS ufficio,         -- its ufficio
    r.user_id          AS operatore,       -- its operator
    r.chiave_invio,                        -- its own key
    a.mandato_numero,                      -- mandate
    a.mandato_data,                        -- date of the mandate
    r.oggetto,                             -- subject
    EXISTS (SELECT 1 FROM annullamenti n WHERE n.registrazione = r.id AND n.campo IS NULL) AS annullata, -- whether it was annulled
    a.dettagli                             -- what only this act says: a JSON object
FROM atti a
JOIN registrazioni r ON r.id = a.registrazione;
