-- Room and retention (ADR 22): how much the store took up, what goes when its time is over, and what must stay nevertheless.

-- ── How it grows ────────────────────────────────────────────────────────────────────────────────────────────────

-- One row an hour, of the last weeks.
CREATE TABLE spazio (
    ora      INTEGER NOT NULL PRIMARY KEY,              -- which hour: its beginning, true clock
    occupati INTEGER NOT NULL CHECK (occupati >= 0),    -- bytes that what is kept took up
    liberi   INTEGER          CHECK (liberi >= 0)       -- bytes that could still be written; NULL = nobody knew
) STRICT;

-- ── Legal hold ──────────────────────────────────────────────────────────────────────────────────────────────────

-- One row a hold: while it stands nothing of that domanda goes.
CREATE TABLE vincoli (
    id             INTEGER NOT NULL PRIMARY KEY,
    numero_domanda INTEGER NOT NULL REFERENCES domande (numero), -- which domanda
    posto_il       INTEGER NOT NULL, -- since when
    operatore      TEXT    NOT NULL, -- by whom
    motivo         TEXT    NOT NULL, -- why
    tolto_il       INTEGER,          -- until when; NULL = it stands
    tolto_da       TEXT,             -- by whom it was released
    tolto_motivo   TEXT,             -- and why
    CHECK ((tolto_il IS NULL) = (tolto_da IS NULL) AND (tolto_il IS NULL) = (tolto_motivo IS NULL))
) STRICT;

CREATE UNIQUE INDEX vincoli_uno_vivo ON vincoli (numero_domanda) WHERE tolto_il IS NULL;

CREATE TRIGGER vincoli_si_tolgono_soltanto BEFORE UPDATE ON vincoli
WHEN OLD.tolto_il IS NOT NULL OR NEW.tolto_il IS NULL OR NEW.id <> OLD.id OR NEW.numero_domanda <> OLD.numero_domanda
  OR NEW.posto_il <> OLD.posto_il OR NEW.operatore <> OLD.operatore OR NEW.motivo <> OLD.motivo
BEGIN
    SELECT RAISE(ABORT, 'vincoli: un vincolo si toglie soltanto, e una volta');
END;

CREATE TRIGGER vincoli_non_si_cancellano BEFORE DELETE ON vincoli
BEGIN
    SELECT RAISE(ABORT, 'vincoli: un vincolo resta scritto');
END;

-- INSERT OR REPLACE deletes what it replaces without firing the trigger above; this one it does fire.
CREATE TRIGGER vincoli_non_si_sostituiscono BEFORE INSERT ON vincoli
WHEN EXISTS (SELECT 1 FROM vincoli WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM vincoli WHERE numero_domanda = NEW.numero_domanda AND tolto_il IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'vincoli: la domanda e gia vincolata');
END;

-- ── What went ───────────────────────────────────────────────────────────────────────────────────────────────────

-- One row a purge. It is written before the first row goes, and moves on with every step; the tables below give up nothing that
-- no open purge covers. Traces and door log go by whole days of Europe/Rome.
CREATE TABLE pulizie (
    id          INTEGER NOT NULL PRIMARY KEY,
    regola      TEXT    NOT NULL CHECK (regola IN ('RICHIESTE', 'TRACCE_BYTE', 'TRACCE', 'PORTA', 'VARIAZIONI')), -- which rule
    da          INTEGER NOT NULL,           -- what is of this instant or later…
    fino_a      INTEGER NOT NULL,           -- …and before this one goes
    passo       INTEGER NOT NULL DEFAULT 0, -- how far it has come: where the next step begins
    iniziata_il INTEGER NOT NULL,           -- when it began, true clock
    conclusa_il INTEGER,                    -- when it ended; NULL = it goes on
    righe       INTEGER NOT NULL DEFAULT 0 CHECK (righe >= 0), -- so many rows went (of TRACCE_BYTE: were emptied)
    byte        INTEGER NOT NULL DEFAULT 0 CHECK (byte >= 0),  -- with so many bytes
    CHECK (da < fino_a)
) STRICT;

CREATE UNIQUE INDEX pulizie_una_aperta ON pulizie (regola) WHERE conclusa_il IS NULL;
CREATE INDEX pulizie_regola ON pulizie (regola, fino_a);

-- Whatever the configuration says: younger than this nothing goes. RICHIESTE go by the business clock, the others by the true one.
CREATE TRIGGER pulizie_non_prima BEFORE INSERT ON pulizie
WHEN NEW.fino_a > (SELECT CASE NEW.regola
         WHEN 'RICHIESTE' THEN adesso - 365 * 86400000
         WHEN 'TRACCE_BYTE' THEN vero - 7 * 86400000
         WHEN 'PORTA' THEN vero - 7 * 86400000
         WHEN 'VARIAZIONI' THEN adesso - 30 * 86400000
         ELSE vero - 30 * 86400000
     END FROM orologio)
BEGIN
    SELECT RAISE(ABORT, 'pulizie: prima del termine minimo nulla si scarta');
END;

CREATE TRIGGER pulizie_avanzano BEFORE UPDATE ON pulizie
WHEN OLD.conclusa_il IS NOT NULL OR NEW.id <> OLD.id OR NEW.regola <> OLD.regola OR NEW.da <> OLD.da OR NEW.fino_a <> OLD.fino_a
  OR NEW.iniziata_il <> OLD.iniziata_il OR NEW.passo < OLD.passo OR NEW.righe < OLD.righe OR NEW.byte < OLD.byte
BEGIN
    SELECT RAISE(ABORT, 'pulizie: una pulizia avanza e basta, e conclusa non cambia');
END;

CREATE TRIGGER pulizie_non_si_cancellano BEFORE DELETE ON pulizie
BEGIN
    SELECT RAISE(ABORT, 'pulizie: una pulizia resta scritta');
END;

CREATE TRIGGER pulizie_non_si_sostituiscono BEFORE INSERT ON pulizie
WHEN EXISTS (SELECT 1 FROM pulizie WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM pulizie WHERE regola = NEW.regola AND conclusa_il IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'pulizie: ne e aperta una della stessa regola');
END;

-- ── Requests ────────────────────────────────────────────────────────────────────────────────────────────────────

-- When the procedure of a domanda ended: the last thing that happened in it, once no sheet lives and no riesame is open.
CREATE VIEW procedimenti AS
SELECT
    d.numero AS numero_domanda,            -- of which domanda
    CASE WHEN EXISTS (SELECT 1 FROM schede s WHERE s.numero_domanda = d.numero AND s.stato IN (
                      'PRESENTATA', 'IN_ISTRUTTORIA', 'IN_EVIDENZA_CITTADINO', 'IN_EVIDENZA_SEDE', 'SOSPESA', 'ACCOLTA'))
           OR EXISTS (SELECT 1 FROM riesami i WHERE i.numero_domanda = d.numero AND i.stato IN ('PRESENTATO', 'IN_ESAME'))
         THEN NULL
         ELSE max(
             (SELECT r.registrata_il FROM registrazioni r WHERE r.id = d.registrazione),
             coalesce((SELECT max(s.stato_dal) FROM schede s WHERE s.numero_domanda = d.numero), 0),
             coalesce((SELECT max(r.registrata_il) FROM atti a JOIN registrazioni r ON r.id = a.registrazione
                       WHERE a.numero_domanda = d.numero), 0),
             coalesce((SELECT max(i.stato_dal) FROM riesami i WHERE i.numero_domanda = d.numero), 0),
             coalesce((SELECT max(p.istante) FROM pagamenti p WHERE p.numero_domanda = d.numero), 0))
    END AS finito_il,                      -- when it ended, business clock; NULL = it goes on
    EXISTS (SELECT 1 FROM vincoli v WHERE v.numero_domanda = d.numero AND v.tolto_il IS NULL) AS vincolata -- whether a hold stands
FROM domande d;

-- A request goes by a purge, when its procedure ended before what that covers, and while nobody holds it.
CREATE TRIGGER scarti_a_termine BEFORE INSERT ON scarti
WHEN NOT EXISTS (
    SELECT 1
    FROM registrazioni r
    JOIN procedimenti p ON p.numero_domanda = r.numero_domanda
    JOIN pulizie u ON u.regola = 'RICHIESTE' AND u.conclusa_il IS NULL AND p.finito_il < u.fino_a
    WHERE r.id = NEW.registrazione AND NOT p.vincolata)
BEGIN
    SELECT RAISE(ABORT, 'scarti: il procedimento non e finito da abbastanza, o la domanda e vincolata');
END;

CREATE TRIGGER scarti_non_si_modificano BEFORE UPDATE ON scarti
BEGIN
    SELECT RAISE(ABORT, 'scarti: uno scarto resta scritto');
END;

CREATE TRIGGER scarti_non_si_cancellano BEFORE DELETE ON scarti
BEGIN
    SELECT RAISE(ABORT, 'scarti: uno scarto resta scritto');
END;

CREATE TRIGGER scarti_non_si_sostituiscono BEFORE INSERT ON scarti
WHEN EXISTS (SELECT 1 FROM scarti WHERE registrazione = NEW.registrazione)
BEGIN
    SELECT RAISE(ABORT, 'scarti: uno scarto resta scritto');
END;

CREATE TRIGGER payload_non_si_modifica BEFORE UPDATE ON payload
BEGIN
    SELECT RAISE(ABORT, 'payload: una richiesta non si modifica');
END;

CREATE TRIGGER payload_si_scarta_soltanto BEFORE DELETE ON payload
WHEN NOT EXISTS (SELECT 1 FROM scarti WHERE registrazione = OLD.registrazione)
BEGIN
    SELECT RAISE(ABORT, 'payload: una richiesta si scarta soltanto, a termine (tabella scarti)');
END;

CREATE TRIGGER documenti_non_si_modificano BEFORE UPDATE ON documenti
BEGIN
    SELECT RAISE(ABORT, 'documenti: un documento non si modifica');
END;

CREATE TRIGGER documenti_si_scartano_soltanto BEFORE DELETE ON documenti
WHEN NOT EXISTS (SELECT 1 FROM scarti WHERE registrazione = OLD.registrazione)
BEGIN
    SELECT RAISE(ABORT, 'documenti: un documento si scarta soltanto, con la sua richiesta (tabella scarti)');
END;

-- ── Traces, door log, feed ──────────────────────────────────────────────────────────────────────────────────────

CREATE TRIGGER tracce_a_termine BEFORE DELETE ON tracce
WHEN NOT EXISTS (SELECT 1 FROM pulizie WHERE regola = 'TRACCE' AND conclusa_il IS NULL
                 AND OLD.ricevuto_il >= da AND OLD.ricevuto_il < fino_a)
BEGIN
    SELECT RAISE(ABORT, 'tracce: una traccia si scarta soltanto, a termine (tabella pulizie)');
END;

DROP TRIGGER egov_non_si_cancella;
CREATE TRIGGER egov_non_si_cancella BEFORE DELETE ON egov
WHEN NOT EXISTS (SELECT 1 FROM pulizie WHERE regola = 'TRACCE' AND conclusa_il IS NULL
                 AND OLD.istante >= da AND OLD.istante < fino_a)
BEGIN
    SELECT RAISE(ABORT, 'egov: una traccia non si cancella');
END;

CREATE TRIGGER porta_a_termine BEFORE DELETE ON porta
WHEN NOT EXISTS (SELECT 1 FROM pulizie WHERE regola = 'PORTA' AND conclusa_il IS NULL
                 AND OLD.istante >= da AND OLD.istante < fino_a)
BEGIN
    SELECT RAISE(ABORT, 'porta: un rifiuto si scarta soltanto, a termine (tabella pulizie)');
END;

CREATE TRIGGER variazioni_a_termine BEFORE DELETE ON variazioni
WHEN NOT EXISTS (SELECT 1 FROM pulizie WHERE regola = 'VARIAZIONI' AND conclusa_il IS NULL
                 AND OLD.istante >= da AND OLD.istante < fino_a)
BEGIN
    SELECT RAISE(ABORT, 'variazioni: una variazione si scarta soltanto, a termine (tabella pulizie)');
END;

-- Up to which cursor an ente's feed was cut: who stands before it has missed something, and is told so. Nobody else is.
CREATE TABLE variazioni_scartate (
    ente     TEXT    NOT NULL, -- whose
    servizio TEXT    NOT NULL, -- of which service
    cursore  INTEGER NOT NULL, -- the last cursor that went
    istante  INTEGER NOT NULL, -- of when that was
    PRIMARY KEY (ente, servizio)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER variazioni_scartate_avanzano BEFORE UPDATE ON variazioni_scartate
WHEN NEW.ente <> OLD.ente OR NEW.servizio <> OLD.servizio OR NEW.cursore < OLD.cursore
BEGIN
    SELECT RAISE(ABORT, 'variazioni_scartate: il taglio non torna indietro');
END;

-- By which the clues of a day's traces go with them.
CREATE INDEX tracce_indizi_termine ON tracce_indizi (ricevuto_il);
