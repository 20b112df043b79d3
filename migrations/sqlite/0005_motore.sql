-- What the engine may do: the contract of docs/contratto-motore.md, version 1.0. An engine claims a domanda, decides, and
-- marks it worked, with plain INSERT, UPDATE and DELETE on views; the triggers below are all that it can do. Why so:
-- docs/adr/0008-contratto-motore-in-sql.md. A message begins with its code (`MOT-001`), the same on both stores.

ALTER TABLE schede ADD COLUMN azione_motivo TEXT; -- why `azione_richiesta` is asked: a sentence for the patronato; NULL = nothing is asked
ALTER TABLE variazioni ADD COLUMN motivo TEXT; -- why: a sentence for the patronato
ALTER TABLE variazioni ADD COLUMN beneficiario TEXT; -- of a `PAGAMENTO`: whose half it is; NULL = of anything else
ALTER TABLE domande ADD COLUMN lavorata INTEGER NOT NULL DEFAULT 0; -- the `versione` that an engine has last worked; 0 = none

-- What is new or changed since an engine looked.
CREATE INDEX domande_da_lavorare ON domande (numero) WHERE lavorata < versione;

-- That it was looked at is no change of the domanda.
DROP TRIGGER domande_versione;
CREATE TRIGGER domande_versione AFTER UPDATE ON domande
WHEN NEW.versione <> OLD.versione + 1 AND NEW.lavorata = OLD.lavorata
BEGIN
    UPDATE domande SET versione = OLD.versione + 1 WHERE numero = NEW.numero;
END;

-- A reason does not outlive what it is the reason of.
CREATE TRIGGER schede_azione_motivo AFTER UPDATE OF azione_richiesta ON schede
WHEN NEW.azione_richiesta = 'NESSUNA' AND NEW.azione_motivo IS NOT NULL
BEGIN
    UPDATE schede SET azione_motivo = NULL WHERE numero_domanda = NEW.numero_domanda AND posto = NEW.posto;
END;

-- ── Who may make which move ─────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE mosse ADD COLUMN chi TEXT NOT NULL DEFAULT 'MOTORE' CHECK (chi IN ('MOTORE', 'PATRONATO', 'UFFICIO')); -- from which side of the store
UPDATE mosse SET chi = 'PATRONATO' WHERE a IN ('RINUNCIATA', 'SOSTITUITA');
UPDATE mosse SET chi = 'UFFICIO' WHERE a = 'ANNULLATA';

-- ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Leases go by the machine's clock, which nobody moves; decisions by the business clock of the store.
CREATE VIEW orologio AS
SELECT
    o.vero,                                -- true clock
    o.vero + coalesce((SELECT CAST(valore AS INTEGER) FROM impostazioni WHERE nome = 'offset_orologio_ms'), 0) AS adesso -- business clock
FROM (SELECT CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) AS vero) o;

CREATE VIEW motore_contratto_v1 AS
SELECT
    '1.0' AS versione,                     -- version of the contract
    (SELECT valore FROM impostazioni WHERE nome = 'ambiente') AS ambiente, -- `sandbox`, `collaudo`, `produzione`
    strftime('%Y-%m-%dT%H:%M:%S', adesso / 1000, 'unixepoch') || printf('.%03dZ', adesso % 1000) AS adesso -- business clock
FROM orologio;

-- ── Claims ──────────────────────────────────────────────────────────────────────────────────────────────────────

-- One row a claim; those that are over are the history.
CREATE TABLE prese (
    id             INTEGER NOT NULL PRIMARY KEY,
    numero_domanda INTEGER NOT NULL REFERENCES domande (numero), -- which domanda
    motore         TEXT    NOT NULL, -- by which engine
    gettone        TEXT    NOT NULL, -- the secret with which its holder writes
    presa_il       INTEGER NOT NULL, -- since when, true clock
    durata_s       INTEGER NOT NULL, -- for how long it was last asked, in seconds
    fino_a         INTEGER NOT NULL, -- until when, unless it is renewed
    lasciata_il    INTEGER           -- given back, or found expired; NULL = it holds
) STRICT;

CREATE UNIQUE INDEX prese_una_viva ON prese (numero_domanda) WHERE lasciata_il IS NULL;
CREATE INDEX prese_gettone ON prese (gettone) WHERE lasciata_il IS NULL;

CREATE TRIGGER prese_finite_restano BEFORE UPDATE ON prese
WHEN OLD.lasciata_il IS NOT NULL OR NEW.id <> OLD.id OR NEW.numero_domanda <> OLD.numero_domanda
  OR NEW.motore <> OLD.motore OR NEW.gettone <> OLD.gettone OR NEW.presa_il <> OLD.presa_il
BEGIN
    SELECT RAISE(ABORT, 'prese: una presa si rinnova o si lascia soltanto');
END;

-- The claims that hold.
CREATE VIEW motore_prese_v1 AS
SELECT
    p.numero_domanda,                      -- which domanda
    p.motore,                              -- by which engine
    p.gettone,                             -- the secret with which its holder writes
    p.durata_s,                            -- for how long, in seconds; written: from now on
    strftime('%Y-%m-%dT%H:%M:%S', p.presa_il / 1000, 'unixepoch')
        || printf('.%03dZ', p.presa_il % 1000) AS presa_il, -- since when, true clock
    strftime('%Y-%m-%dT%H:%M:%S', p.fino_a / 1000, 'unixepoch')
        || printf('.%03dZ', p.fino_a % 1000) AS fino_a, -- until when, true clock
    d.versione,                            -- version of the domanda now
    d.lavorata                             -- the version that was last worked
FROM prese p
JOIN domande d ON d.numero = p.numero_domanda
WHERE p.lasciata_il IS NULL
  AND p.fino_a > (SELECT vero FROM orologio);

-- A domanda that another one holds is passed over without a word: who claims reads afterwards what it got.
CREATE TRIGGER motore_prese_v1_prende INSTEAD OF INSERT ON motore_prese_v1
BEGIN
    SELECT RAISE(ABORT, 'MOT-014 presa: motore (1-64 caratteri), gettone (16-64), durata_s (1-3600) e una domanda che c''e')
    WHERE NEW.motore IS NULL OR length(NEW.motore) NOT BETWEEN 1 AND 64
       OR NEW.gettone IS NULL OR length(NEW.gettone) NOT BETWEEN 16 AND 64
       OR NEW.durata_s IS NULL OR NEW.durata_s NOT BETWEEN 1 AND 3600
       OR NOT EXISTS (SELECT 1 FROM domande WHERE numero = NEW.numero_domanda);
    UPDATE prese SET lasciata_il = fino_a
    WHERE numero_domanda = NEW.numero_domanda AND lasciata_il IS NULL AND fino_a <= (SELECT vero FROM orologio);
    INSERT INTO prese (numero_domanda, motore, gettone, presa_il, durata_s, fino_a)
    SELECT NEW.numero_domanda, NEW.motore, NEW.gettone, o.vero, NEW.durata_s, o.vero + NEW.durata_s * 1000
    FROM orologio o
    WHERE NOT EXISTS (SELECT 1 FROM prese WHERE numero_domanda = NEW.numero_domanda AND lasciata_il IS NULL);
END;

-- Renews, for another `durata_s` from now on; `lavorata` = the version that was seen marks it as worked.
CREATE TRIGGER motore_prese_v1_rinnova INSTEAD OF UPDATE ON motore_prese_v1
BEGIN
    SELECT RAISE(ABORT, 'MOT-014 presa: si cambiano solo durata_s (1-3600) e lavorata (una versione vista)')
    WHERE NEW.numero_domanda <> OLD.numero_domanda OR NEW.gettone <> OLD.gettone OR NEW.motore <> OLD.motore
       OR NEW.durata_s IS NULL OR NEW.durata_s NOT BETWEEN 1 AND 3600
       OR NEW.lavorata IS NULL OR NEW.lavorata NOT BETWEEN OLD.lavorata AND OLD.versione;
    UPDATE prese SET durata_s = NEW.durata_s, fino_a = (SELECT vero FROM orologio) + NEW.durata_s * 1000
    WHERE numero_domanda = OLD.numero_domanda AND gettone = OLD.gettone AND lasciata_il IS NULL;
    UPDATE domande SET lavorata = NEW.lavorata
    WHERE numero = OLD.numero_domanda AND lavorata <> NEW.lavorata;
END;

CREATE TRIGGER motore_prese_v1_lascia INSTEAD OF DELETE ON motore_prese_v1
BEGIN
    UPDATE prese SET lasciata_il = (SELECT vero FROM orologio)
    WHERE numero_domanda = OLD.numero_domanda AND gettone = OLD.gettone AND lasciata_il IS NULL;
END;

-- What waits for an engine: new, or changed since one worked it, and held by none.
CREATE VIEW motore_da_lavorare_v1 AS
SELECT
    d.numero AS numero_domanda,            -- which domanda
    d.servizio,                            -- service
    d.versione,                            -- its version now
    d.lavorata,                            -- the version that was last worked; 0 = none
    CASE WHEN d.lavorata = 0 THEN 'PRESENTATA' ELSE 'CAMBIATA' END AS novita, -- why it waits
    (SELECT a.operazione FROM atti a WHERE a.numero_domanda = d.numero ORDER BY a.registrazione DESC LIMIT 1) AS ultimo_atto -- the last act about it: `AllegaDocumento`; NULL = none
FROM domande d INDEXED BY domande_da_lavorare
WHERE d.lavorata < d.versione
  AND NOT EXISTS (SELECT 1 FROM prese p
                  WHERE p.numero_domanda = d.numero AND p.lasciata_il IS NULL
                    AND p.fino_a > (SELECT vero FROM orologio));

-- The same view, found by its domanda however many documents there are: by way of the registrations that brought them.
DROP VIEW motore_allegati_v1;
CREATE VIEW motore_allegati_v1 AS
SELECT
    d.numero AS numero_domanda,            -- numero domanda
    r.protocollo,                          -- the registration it came with
    a.posto,                               -- place in it, from 1
    a.tipo,                                -- word of the codelist
    a.nome_file,                           -- file name
    a.tipo_mime,                           -- word of the codelist
    lower(hex(a.impronta)) AS impronta,    -- SHA-256
    a.bytes_len                            -- length
FROM domande d
JOIN registrazioni r ON r.id = d.registrazione
JOIN allegati a ON a.registrazione = r.id
UNION ALL
SELECT
    t.numero_domanda,
    r.protocollo,
    a.posto,
    a.tipo,
    a.nome_file,
    a.tipo_mime,
    lower(hex(a.impronta)),
    a.bytes_len
FROM atti t
JOIN registrazioni r ON r.id = t.registrazione
JOIN allegati a ON a.registrazione = r.id;

-- How a sheet stands, with the version of its domanda: what a decision must name.
CREATE VIEW motore_stati_v1 AS
SELECT
    s.numero_domanda,                      -- which domanda
    s.posto,                               -- which sheet
    d.versione,                            -- version of the domanda
    s.stato,                               -- state
    strftime('%Y-%m-%dT%H:%M:%S', s.stato_dal / 1000, 'unixepoch')
        || printf('.%03dZ', s.stato_dal % 1000) AS stato_dal, -- since when
    s.azione_richiesta,                    -- what is asked of the sender
    s.azione_motivo                        -- why
FROM schede s
JOIN domande d ON d.numero = s.numero_domanda;

-- ── Decisions ───────────────────────────────────────────────────────────────────────────────────────────────────

-- One row a decision of an engine: append-only.
CREATE TABLE decisioni (
    id               INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    tipo             TEXT    NOT NULL, -- `STATO`, `PAGAMENTO`, `RINNOVO`
    numero_domanda   INTEGER NOT NULL REFERENCES domande (numero), -- about which domanda
    posto            INTEGER NOT NULL, -- about which sheet
    motore           TEXT    NOT NULL, -- by which engine
    gettone          TEXT    NOT NULL, -- under which claim
    versione         INTEGER NOT NULL, -- which version of the domanda it saw
    istante          INTEGER NOT NULL, -- when, business clock
    scritta_il       INTEGER NOT NULL, -- when, true clock
    da               TEXT,             -- `STATO`: from which state
    a                TEXT,             -- `STATO`: to which one; the same = only the action changes
    azione_richiesta TEXT,             -- `STATO`: what is asked of the sender from now on
    azione_motivo    TEXT,             -- `STATO`: why
    motivo           TEXT              -- why it was decided: a sentence for the patronato
) STRICT;

CREATE INDEX decisioni_domanda ON decisioni (numero_domanda, posto);

-- Per sheet and month what was paid, came back or is to be recovered: append-only.
CREATE TABLE pagamenti (
    decisione      INTEGER NOT NULL PRIMARY KEY REFERENCES decisioni (id), -- by which decision
    numero_domanda INTEGER NOT NULL, -- for which domanda
    posto          INTEGER NOT NULL, -- for which sheet
    mese           TEXT    NOT NULL, -- for which month: `2021-07`
    beneficiario   TEXT    NOT NULL, -- to whom: `RICHIEDENTE`, `ALTRO_GENITORE`
    tipo           TEXT    NOT NULL, -- `PAGATO`, `RESTITUITO`, `DA_RECUPERARE`
    importo_cent   INTEGER NOT NULL, -- how much, in cents of a euro
    motivo         TEXT,             -- why
    istante        INTEGER NOT NULL  -- when, business clock
) STRICT;

CREATE INDEX pagamenti_scheda ON pagamenti (numero_domanda, posto, mese);

-- Renewals d'ufficio (AU-8): a sheet goes on in a new year without a new domanda.
CREATE TABLE rinnovi (
    decisione      INTEGER NOT NULL PRIMARY KEY REFERENCES decisioni (id), -- by which decision
    numero_domanda INTEGER NOT NULL, -- of which domanda
    posto          INTEGER NOT NULL, -- of which sheet
    anno           INTEGER NOT NULL, -- for which year: March to February of the next
    istante        INTEGER NOT NULL, -- when, business clock
    UNIQUE (numero_domanda, posto, anno)
) STRICT;

CREATE TRIGGER decisioni_tipo BEFORE INSERT ON decisioni
WHEN NEW.tipo IS NULL OR NEW.tipo NOT IN ('STATO', 'PAGAMENTO', 'RINNOVO')
BEGIN
    SELECT RAISE(ABORT, 'MOT-015 decisione: il tipo non e fra quelli del contratto');
END;

-- The guard, whatever is decided: the claim, then the state that was seen, then the move.
CREATE TRIGGER decisioni_guardia BEFORE INSERT ON decisioni
BEGIN
    SELECT RAISE(ABORT, 'MOT-001 presa: la domanda non e presa con questo gettone, o la presa e scaduta')
    WHERE NOT EXISTS (SELECT 1 FROM prese
                      WHERE numero_domanda = NEW.numero_domanda AND gettone = NEW.gettone AND motore = NEW.motore
                        AND lasciata_il IS NULL AND fino_a > (SELECT vero FROM orologio));
    SELECT RAISE(ABORT, 'MOT-005 scheda: la domanda non ne ha una con questo posto')
    WHERE NOT EXISTS (SELECT 1 FROM schede WHERE numero_domanda = NEW.numero_domanda AND posto = NEW.posto);
    SELECT RAISE(ABORT, 'MOT-002 domanda: e cambiata, la versione non e piu quella vista')
    WHERE NOT EXISTS (SELECT 1 FROM domande WHERE numero = NEW.numero_domanda AND versione = NEW.versione);
    SELECT RAISE(ABORT, 'MOT-003 scheda: non e nello stato detto in da')
    WHERE NEW.tipo = 'STATO'
      AND NOT EXISTS (SELECT 1 FROM schede
                      WHERE numero_domanda = NEW.numero_domanda AND posto = NEW.posto AND stato = NEW.da);
    SELECT RAISE(ABORT, 'MOT-004 mossa: non ammessa al motore (tabella mosse)')
    WHERE NEW.tipo = 'STATO' AND NEW.a IS NOT NEW.da
      AND NOT EXISTS (SELECT 1 FROM mosse WHERE da = NEW.da AND a = NEW.a AND chi = 'MOTORE');
    SELECT RAISE(ABORT, 'MOT-006 azione: azione_richiesta e azione_motivo vanno insieme, NESSUNA senza motivo')
    WHERE NEW.tipo = 'STATO'
      AND (NEW.azione_richiesta IS NULL
           OR NEW.azione_richiesta NOT IN ('NESSUNA', 'ALLEGARE_DOCUMENTI', 'AGGIORNARE_DATI_FIGLIO', 'AGGIORNARE_IBAN', 'INTEGRARE_ALTRO_GENITORE')
           OR (NEW.azione_richiesta = 'NESSUNA') <> (coalesce(trim(NEW.azione_motivo), '') = ''));
    SELECT RAISE(ABORT, 'MOT-007 decisione: non cambia nulla')
    WHERE NEW.tipo = 'STATO' AND NEW.a = NEW.da
      AND EXISTS (SELECT 1 FROM schede
                  WHERE numero_domanda = NEW.numero_domanda AND posto = NEW.posto
                    AND azione_richiesta = NEW.azione_richiesta AND azione_motivo IS NEW.azione_motivo);
    -- A sheet that is opened again takes its child, unless another live one has it.
    SELECT RAISE(ABORT, 'MOT-008 mossa: il figlio ha un''altra scheda viva')
    WHERE NEW.tipo = 'STATO'
      AND NEW.a IN ('PRESENTATA', 'IN_ISTRUTTORIA', 'IN_EVIDENZA_CITTADINO', 'IN_EVIDENZA_SEDE', 'SOSPESA', 'ACCOLTA')
      AND EXISTS (SELECT 1 FROM schede s
                  JOIN schede v ON v.servizio = s.servizio AND v.codice_fiscale = s.codice_fiscale
                  WHERE s.numero_domanda = NEW.numero_domanda AND s.posto = NEW.posto
                    AND (v.numero_domanda, v.posto) <> (s.numero_domanda, s.posto)
                    AND v.stato IN ('PRESENTATA', 'IN_ISTRUTTORIA', 'IN_EVIDENZA_CITTADINO', 'IN_EVIDENZA_SEDE', 'SOSPESA', 'ACCOLTA'));
END;

CREATE TRIGGER pagamenti_guardia BEFORE INSERT ON pagamenti
BEGIN
    SELECT RAISE(ABORT, 'MOT-009 pagamento: mese AAAA-MM, beneficiario, pagamento e importo_cent; il motivo, se non e PAGATO')
    WHERE NEW.mese IS NULL OR NEW.mese NOT GLOB '[0-9][0-9][0-9][0-9]-[01][0-9]'
       OR substr(NEW.mese, 6) NOT BETWEEN '01' AND '12'
       OR NEW.beneficiario IS NULL OR NEW.beneficiario NOT IN ('RICHIEDENTE', 'ALTRO_GENITORE')
       OR NEW.tipo IS NULL OR NEW.tipo NOT IN ('PAGATO', 'RESTITUITO', 'DA_RECUPERARE')
       OR NEW.importo_cent IS NULL OR NEW.importo_cent <= 0
       OR (NEW.tipo <> 'PAGATO' AND coalesce(trim(NEW.motivo), '') = '');
    SELECT RAISE(ABORT, 'MOT-010 pagamento: gia pagato per questa scheda, mese e beneficiario, e non restituito')
    WHERE NEW.tipo = 'PAGATO'
      AND (SELECT coalesce(sum(CASE tipo WHEN 'PAGATO' THEN 1 WHEN 'RESTITUITO' THEN -1 ELSE 0 END), 0) FROM pagamenti
           WHERE numero_domanda = NEW.numero_domanda AND posto = NEW.posto AND mese = NEW.mese
             AND beneficiario = NEW.beneficiario) > 0;
    SELECT RAISE(ABORT, 'MOT-011 pagamento: si paga una scheda ACCOLTA, e torna o si recupera solo cio che fu pagato')
    WHERE (NEW.tipo = 'PAGATO'
           AND NOT EXISTS (SELECT 1 FROM schede
                           WHERE numero_domanda = NEW.numero_domanda AND posto = NEW.posto AND stato = 'ACCOLTA'))
       OR (NEW.tipo <> 'PAGATO'
           AND (SELECT coalesce(sum(CASE tipo WHEN 'PAGATO' THEN 1 WHEN 'RESTITUITO' THEN -1 ELSE 0 END), 0) FROM pagamenti
                WHERE numero_domanda = NEW.numero_domanda AND posto = NEW.posto AND mese = NEW.mese
                  AND beneficiario = NEW.beneficiario) <= 0);
    SELECT RAISE(ABORT, 'MOT-012 pagamento: la scheda non e divisa con l''altro genitore')
    WHERE NEW.tipo = 'PAGATO' AND NEW.beneficiario = 'ALTRO_GENITORE'
      AND NOT EXISTS (SELECT 1 FROM schede
                      WHERE numero_domanda = NEW.numero_domanda AND posto = NEW.posto AND altro_genitore IS NOT NULL
                        AND ripartizione IN ('META_ENTRAMBI', 'B', 'C'));
END;

CREATE TRIGGER rinnovi_guardia BEFORE INSERT ON rinnovi
BEGIN
    SELECT RAISE(ABORT, 'MOT-013 rinnovo: di una scheda viva, per un anno, una volta')
    WHERE NEW.anno IS NULL OR NEW.anno NOT BETWEEN 2000 AND 9998
       OR EXISTS (SELECT 1 FROM rinnovi
                  WHERE numero_domanda = NEW.numero_domanda AND posto = NEW.posto AND anno = NEW.anno)
       OR NOT EXISTS (SELECT 1 FROM schede
                      WHERE numero_domanda = NEW.numero_domanda AND posto = NEW.posto
                        AND stato IN ('PRESENTATA', 'IN_ISTRUTTORIA', 'IN_EVIDENZA_CITTADINO', 'IN_EVIDENZA_SEDE', 'SOSPESA', 'ACCOLTA'));
END;

-- What was decided, and the one way to decide.
CREATE VIEW motore_decisioni_v1 AS
SELECT
    d.id,                                  -- grows with every decision
    d.tipo,                                -- `STATO`, `PAGAMENTO`, `RINNOVO`
    d.numero_domanda,                      -- about which domanda
    d.posto,                               -- about which sheet
    d.motore,                              -- by which engine
    d.gettone,                             -- under which claim
    d.versione,                            -- which version of the domanda it saw
    strftime('%Y-%m-%dT%H:%M:%S', d.istante / 1000, 'unixepoch')
        || printf('.%03dZ', d.istante % 1000) AS istante, -- when, business clock; written NULL = now
    strftime('%Y-%m-%dT%H:%M:%S', d.scritta_il / 1000, 'unixepoch')
        || printf('.%03dZ', d.scritta_il % 1000) AS scritta_il, -- when, true clock
    d.da,                                  -- `STATO`: from which state
    d.a,                                   -- `STATO`: to which one
    d.azione_richiesta,                    -- `STATO`: what is asked of the sender from now on
    d.azione_motivo,                       -- `STATO`: why
    d.motivo,                              -- why it was decided
    p.mese,                                -- `PAGAMENTO`: for which month
    p.beneficiario,                        -- `PAGAMENTO`: to whom
    p.tipo AS pagamento,                   -- `PAGAMENTO`: `PAGATO`, `RESTITUITO`, `DA_RECUPERARE`
    p.importo_cent,                        -- `PAGAMENTO`: how much
    r.anno                                 -- `RINNOVO`: for which year
FROM decisioni d
LEFT JOIN pagamenti p ON p.decisione = d.id
LEFT JOIN rinnovi r ON r.decisione = d.id;

-- Checked, applied and told to the patronati in one statement: all of it, or nothing.
CREATE TRIGGER motore_decisioni_v1_scrive INSTEAD OF INSERT ON motore_decisioni_v1
BEGIN
    SELECT RAISE(ABORT, 'MOT-016 decisione: istante non leggibile, oppure lontano piu di un giorno dall''orologio in produzione')
    FROM orologio o
    WHERE NEW.istante IS NOT NULL
      AND (julianday(NEW.istante) IS NULL
           OR ((SELECT ambiente FROM motore_contratto_v1) = 'produzione'
               AND abs((julianday(NEW.istante) - 2440587.5) * 86400000 - o.adesso) > 86400000));
    INSERT INTO decisioni (tipo, numero_domanda, posto, motore, gettone, versione, istante, scritta_il, da, a,
                           azione_richiesta, azione_motivo, motivo)
    -- A state never begins before the one that it follows, whatever the clocks of two machines say.
    SELECT NEW.tipo, NEW.numero_domanda, NEW.posto, p.motore, NEW.gettone, NEW.versione,
           max(coalesce(CAST(round((julianday(NEW.istante) - 2440587.5) * 86400000) AS INTEGER), o.adesso), coalesce(s.stato_dal, 0)),
           o.vero, NEW.da, NEW.a, NEW.azione_richiesta, NEW.azione_motivo, NEW.motivo
    FROM orologio o
    LEFT JOIN prese p ON p.numero_domanda = NEW.numero_domanda AND p.gettone = NEW.gettone AND p.lasciata_il IS NULL
    LEFT JOIN schede s ON s.numero_domanda = NEW.numero_domanda AND s.posto = NEW.posto;
    UPDATE schede
    SET stato = NEW.a,
        stato_dal = CASE WHEN NEW.a = NEW.da THEN stato_dal ELSE (SELECT istante FROM decisioni ORDER BY id DESC LIMIT 1) END,
        azione_richiesta = NEW.azione_richiesta,
        azione_motivo = NEW.azione_motivo
    WHERE NEW.tipo = 'STATO' AND numero_domanda = NEW.numero_domanda AND posto = NEW.posto;
    INSERT INTO pagamenti (decisione, numero_domanda, posto, mese, beneficiario, tipo, importo_cent, motivo, istante)
    SELECT d.id, d.numero_domanda, d.posto, NEW.mese, NEW.beneficiario, NEW.pagamento, NEW.importo_cent, NEW.motivo, d.istante
    FROM decisioni d
    WHERE d.id = (SELECT max(id) FROM decisioni) AND d.tipo = 'PAGAMENTO';
    INSERT INTO rinnovi (decisione, numero_domanda, posto, anno, istante)
    SELECT d.id, d.numero_domanda, d.posto, NEW.anno, d.istante
    FROM decisioni d
    WHERE d.id = (SELECT max(id) FROM decisioni) AND d.tipo = 'RINNOVO';
    INSERT INTO variazioni (istante, tipo, ente, servizio, numero_domanda, posto, stato, azione_richiesta, beneficiario, motivo)
    SELECT d.istante, d.tipo, m.ente, m.servizio, d.numero_domanda, d.posto, s.stato, s.azione_richiesta,
           (SELECT p.beneficiario FROM pagamenti p WHERE p.decisione = d.id),
           CASE d.tipo
               WHEN 'STATO' THEN coalesce(d.azione_motivo, d.motivo)
               WHEN 'PAGAMENTO' THEN NEW.pagamento || ' ' || NEW.mese || ' ' || NEW.beneficiario || coalesce(': ' || d.motivo, '')
               WHEN 'RINNOVO' THEN 'RINNOVATA ' || NEW.anno || coalesce(': ' || d.motivo, '')
               ELSE d.motivo
           END
    FROM decisioni d
    JOIN domande m ON m.numero = d.numero_domanda
    JOIN schede s ON s.numero_domanda = d.numero_domanda AND s.posto = d.posto
    WHERE d.id = (SELECT max(id) FROM decisioni);
END;

CREATE VIEW motore_pagamenti_v1 AS
SELECT
    p.numero_domanda,                      -- for which domanda
    p.posto,                               -- for which sheet
    p.mese,                                -- for which month: `2021-07`
    p.beneficiario,                        -- to whom
    p.tipo,                                -- `PAGATO`, `RESTITUITO`, `DA_RECUPERARE`
    p.importo_cent,                        -- how much, in cents of a euro
    p.motivo,                              -- why
    strftime('%Y-%m-%dT%H:%M:%S', p.istante / 1000, 'unixepoch')
        || printf('.%03dZ', p.istante % 1000) AS istante, -- when, business clock
    p.decisione                            -- by which decision
FROM pagamenti p;

CREATE VIEW motore_rinnovi_v1 AS
SELECT
    r.numero_domanda,                      -- of which domanda
    r.posto,                               -- of which sheet
    r.anno,                                -- for which year
    strftime('%Y-%m-%dT%H:%M:%S', r.istante / 1000, 'unixepoch')
        || printf('.%03dZ', r.istante % 1000) AS istante, -- when, business clock
    r.decisione                            -- by which decision
FROM rinnovi r;

-- ── What was decided stays ──────────────────────────────────────────────────────────────────────────────────────
-- INSERT OR REPLACE deletes what it replaces without firing the trigger of DELETE; the third of each it does fire.

CREATE TRIGGER decisioni_non_si_modificano BEFORE UPDATE ON decisioni
BEGIN
    SELECT RAISE(ABORT, 'decisioni: una decisione resta; ne segue un''altra');
END;

CREATE TRIGGER decisioni_non_si_cancellano BEFORE DELETE ON decisioni
BEGIN
    SELECT RAISE(ABORT, 'decisioni: una decisione resta; ne segue un''altra');
END;

CREATE TRIGGER decisioni_non_si_sostituiscono BEFORE INSERT ON decisioni
WHEN EXISTS (SELECT 1 FROM decisioni WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'decisioni: una decisione resta; ne segue un''altra');
END;

CREATE TRIGGER pagamenti_non_si_modificano BEFORE UPDATE ON pagamenti
BEGIN
    SELECT RAISE(ABORT, 'pagamenti: un pagamento resta; si restituisce o si recupera');
END;

CREATE TRIGGER pagamenti_non_si_cancellano BEFORE DELETE ON pagamenti
BEGIN
    SELECT RAISE(ABORT, 'pagamenti: un pagamento resta; si restituisce o si recupera');
END;

CREATE TRIGGER pagamenti_non_si_sostituiscono BEFORE INSERT ON pagamenti
WHEN EXISTS (SELECT 1 FROM pagamenti WHERE decisione = NEW.decisione)
BEGIN
    SELECT RAISE(ABORT, 'pagamenti: un pagamento resta; si restituisce o si recupera');
END;

CREATE TRIGGER rinnovi_non_si_modificano BEFORE UPDATE ON rinnovi
BEGIN
    SELECT RAISE(ABORT, 'rinnovi: un rinnovo resta');
END;

CREATE TRIGGER rinnovi_non_si_cancellano BEFORE DELETE ON rinnovi
BEGIN
    SELECT RAISE(ABORT, 'rinnovi: un rinnovo resta');
END;

CREATE TRIGGER rinnovi_non_si_sostituiscono BEFORE INSERT ON rinnovi
WHEN EXISTS (SELECT 1 FROM rinnovi WHERE decisione = NEW.decisione)
BEGIN
    SELECT RAISE(ABORT, 'rinnovi: un rinnovo resta');
END;
