-- Documents that come after the domanda, with their bytes where the engine and a later download can read them.

ALTER TABLE allegati ADD COLUMN schede TEXT CHECK (schede IS NULL OR json_valid(schede)); -- the sheets that it is for: a JSON array of places; NULL = the domanda as a whole

-- The bytes of each document, decoded, beside what is known of it in `allegati` (docs/adr/0010-documenti-decodificati.md).
-- Personal data: purged with the payload.
CREATE TABLE documenti (
    registrazione INTEGER NOT NULL, -- with which registration
    posto         INTEGER NOT NULL, -- place in it, from 1
    codec         TEXT    NOT NULL, -- `IDENTITY`, `ZSTD`
    chiave_id     TEXT,             -- the key that encrypts them; NULL = in clear
    bytes         BLOB    NOT NULL, -- the document
    PRIMARY KEY (registrazione, posto),
    FOREIGN KEY (registrazione, posto) REFERENCES allegati (registrazione, posto)
) STRICT;

CREATE VIEW motore_documenti_v1 AS
SELECT
    r.numero_domanda,                      -- numero domanda
    r.protocollo,                          -- the registration it came with: of the domanda, or of an act
    r.operazione,                          -- which act: `InviaDomanda`, `AllegaDocumento`
    a.posto,                               -- place in it, from 1
    a.schede,                              -- the sheets that it is for: a JSON array of places; NULL = the domanda as a whole
    a.tipo,                                -- word of the codelist
    a.nome_file,                           -- file name
    a.tipo_mime,                           -- word of the codelist
    lower(hex(a.impronta)) AS impronta,    -- SHA-256 of the decoded bytes
    a.bytes_len,                           -- length of the decoded bytes
    d.codec,                               -- how `bytes` are kept: `IDENTITY` = as they are
    d.chiave_id,                           -- the key that encrypts them; NULL = in clear
    d.bytes                                -- the document; NULL = purged
FROM allegati a
JOIN registrazioni r ON r.id = a.registrazione
LEFT JOIN documenti d ON d.registrazione = a.registrazione AND d.posto = a.posto;

-- ── Riesame ─────────────────────────────────────────────────────────────────────────────────────────────────────

-- One row a sheet that is to be looked at again.
CREATE TABLE riesami (
    registrazione  INTEGER NOT NULL REFERENCES registrazioni (id), -- by which act
    numero_domanda INTEGER NOT NULL, -- of which domanda
    posto          INTEGER NOT NULL, -- which of its sheets
    motivo         TEXT    NOT NULL, -- word of the codelist
    motivazione    TEXT    NOT NULL, -- the same in words, as sent
    stato          TEXT    NOT NULL DEFAULT 'PRESENTATO' CHECK (stato IN ('PRESENTATO', 'IN_ESAME', 'ACCOLTO', 'RESPINTO')), -- how far it is
    stato_dal      INTEGER NOT NULL, -- since when
    esito_motivo   TEXT,             -- why it was accepted or not: a sentence for the patronato
    PRIMARY KEY (registrazione, posto),
    FOREIGN KEY (numero_domanda, posto) REFERENCES schede (numero_domanda, posto)
) STRICT;

-- Of one sheet one is open.
CREATE UNIQUE INDEX riesami_uno_aperto ON riesami (numero_domanda, posto) WHERE stato IN ('PRESENTATO', 'IN_ESAME');
CREATE INDEX riesami_scheda ON riesami (numero_domanda, posto);

-- The allowed moves of a riesame.
CREATE TABLE mosse_riesame (
    da TEXT NOT NULL, -- from this state
    a  TEXT NOT NULL, -- to this one
    PRIMARY KEY (da, a)
) STRICT, WITHOUT ROWID;

INSERT INTO mosse_riesame (da, a) VALUES
    ('PRESENTATO', 'IN_ESAME'), ('IN_ESAME', 'ACCOLTO'), ('IN_ESAME', 'RESPINTO');

CREATE TRIGGER riesami_mosse BEFORE UPDATE ON riesami
WHEN NEW.registrazione <> OLD.registrazione OR NEW.posto <> OLD.posto OR NEW.numero_domanda <> OLD.numero_domanda
  OR NEW.motivo <> OLD.motivo OR NEW.motivazione <> OLD.motivazione
  OR NOT EXISTS (SELECT 1 FROM mosse_riesame WHERE da = OLD.stato AND a = NEW.stato)
BEGIN
    SELECT RAISE(ABORT, 'riesami: mossa non ammessa (tabella mosse_riesame)');
END;

CREATE TRIGGER riesami_non_si_cancellano BEFORE DELETE ON riesami
BEGIN
    SELECT RAISE(ABORT, 'riesami: un riesame resta');
END;

-- The riesami, and the one way to move them: an INSERT that names sheet, claim, version, `da` and `a`.
CREATE VIEW motore_riesami_v1 AS
SELECT
    i.numero_domanda,                      -- of which domanda
    i.posto,                               -- which of its sheets
    r.protocollo,                          -- protocol number of the act
    i.motivo,                              -- word of the codelist
    i.motivazione,                         -- the same in words
    strftime('%Y-%m-%dT%H:%M:%S', r.registrata_il / 1000, 'unixepoch')
        || printf('.%03dZ', r.registrata_il % 1000) AS registrata_il, -- when the act was registered
    i.stato,                               -- `PRESENTATO`, `IN_ESAME`, `ACCOLTO`, `RESPINTO`
    strftime('%Y-%m-%dT%H:%M:%S', i.stato_dal / 1000, 'unixepoch')
        || printf('.%03dZ', i.stato_dal % 1000) AS stato_dal, -- since when
    i.esito_motivo,                        -- why; written with ACCOLTO and RESPINTO
    d.versione,                            -- version of the domanda; written: the one that was seen
    NULL AS gettone,                       -- written: the claim's secret
    NULL AS da,                            -- written: from which state
    NULL AS a,                             -- written: to which one
    NULL AS istante                        -- written: when, business clock; NULL = now
FROM riesami i
JOIN registrazioni r ON r.id = i.registrazione
JOIN domande d ON d.numero = i.numero_domanda;

-- Checked, applied and told in one statement. An accepted one opens the sheet by a decision like any other, with all its
-- guards: that another domanda has the child meanwhile is told there (MOT-008), and nothing is written.
CREATE TRIGGER motore_riesami_v1_muove INSTEAD OF INSERT ON motore_riesami_v1
BEGIN
    SELECT RAISE(ABORT, 'MOT-001 presa: la domanda non e presa con questo gettone, o la presa e scaduta')
    WHERE NOT EXISTS (SELECT 1 FROM prese
                      WHERE numero_domanda = NEW.numero_domanda AND gettone = NEW.gettone
                        AND lasciata_il IS NULL AND fino_a > (SELECT vero FROM orologio));
    SELECT RAISE(ABORT, 'MOT-002 domanda: e cambiata, la versione non e piu quella vista')
    WHERE NOT EXISTS (SELECT 1 FROM domande WHERE numero = NEW.numero_domanda AND versione = NEW.versione);
    SELECT RAISE(ABORT, 'MOT-018 riesame: la scheda non ne ha uno nello stato detto in da')
    WHERE NOT EXISTS (SELECT 1 FROM riesami
                      WHERE numero_domanda = NEW.numero_domanda AND posto = NEW.posto AND stato = NEW.da
                        AND stato IN ('PRESENTATO', 'IN_ESAME'));
    SELECT RAISE(ABORT, 'MOT-019 riesame: mossa non ammessa (tabella mosse_riesame)')
    WHERE NOT EXISTS (SELECT 1 FROM mosse_riesame WHERE da = NEW.da AND a = NEW.a);
    SELECT RAISE(ABORT, 'MOT-020 riesame: esito_motivo va con ACCOLTO e RESPINTO, e solo con loro')
    WHERE (NEW.a IN ('ACCOLTO', 'RESPINTO')) = (coalesce(trim(NEW.esito_motivo), '') = '');
    SELECT RAISE(ABORT, 'MOT-016 decisione: istante non leggibile, oppure lontano piu di un giorno dall''orologio in produzione')
    FROM orologio o
    WHERE NEW.istante IS NOT NULL
      AND (julianday(NEW.istante) IS NULL
           OR ((SELECT ambiente FROM motore_contratto_v1) = 'produzione'
               AND abs((julianday(NEW.istante) - 2440587.5) * 86400000 - o.adesso) > 86400000));
    INSERT INTO motore_decisioni_v1 (tipo, numero_domanda, posto, gettone, versione, istante, da, a, azione_richiesta, motivo)
    SELECT 'STATO', NEW.numero_domanda, NEW.posto, NEW.gettone, NEW.versione, NEW.istante, s.stato, 'IN_ISTRUTTORIA',
           'NESSUNA', NEW.esito_motivo
    FROM schede s
    WHERE NEW.a = 'ACCOLTO' AND s.numero_domanda = NEW.numero_domanda AND s.posto = NEW.posto;
    UPDATE riesami
    SET stato = NEW.a,
        stato_dal = max(stato_dal, coalesce(CAST(round((julianday(NEW.istante) - 2440587.5) * 86400000) AS INTEGER),
                                            (SELECT adesso FROM orologio))),
        esito_motivo = NEW.esito_motivo
    WHERE numero_domanda = NEW.numero_domanda AND posto = NEW.posto AND stato = NEW.da;
    UPDATE domande SET versione = versione + 1 WHERE numero = NEW.numero_domanda;
    INSERT INTO variazioni (istante, tipo, ente, servizio, numero_domanda, posto, stato, azione_richiesta, motivo)
    SELECT i.stato_dal, 'RIESAME', d.ente, d.servizio, i.numero_domanda, i.posto, s.stato, s.azione_richiesta,
           i.stato || coalesce(': ' || i.esito_motivo, '')
    FROM riesami i
    JOIN domande d ON d.numero = i.numero_domanda
    JOIN schede s ON s.numero_domanda = i.numero_domanda AND s.posto = i.posto
    WHERE i.numero_domanda = NEW.numero_domanda AND i.posto = NEW.posto
    ORDER BY i.registrazione DESC LIMIT 1;
END;
