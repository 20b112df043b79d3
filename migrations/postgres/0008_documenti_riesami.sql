-- Documents that come after the domanda, with their bytes where the engine and a later download can read them.

ALTER TABLE allegati ADD COLUMN schede jsonb; -- the sheets that it is for: an array of places; NULL = the domanda as a whole

-- The bytes of each document, decoded, beside what is known of it in `allegati` (docs/adr/0010-documenti-decodificati.md).
-- Personal data: purged with the payload.
CREATE TABLE documenti (
    numero_domanda bigint  NOT NULL, -- of which domanda
    registrazione  bigint  NOT NULL, -- with which registration
    posto          integer NOT NULL, -- place in it, from 1
    codec          text    NOT NULL, -- `IDENTITY`, `ZSTD`
    chiave_id      text,             -- the key that encrypts them; NULL = in clear
    bytes          bytea   NOT NULL, -- the document
    PRIMARY KEY (numero_domanda, registrazione, posto),
    FOREIGN KEY (numero_domanda, registrazione, posto) REFERENCES allegati (numero_domanda, registrazione, posto)
);

-- PDF and JPEG are compressed already.
ALTER TABLE documenti ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE VIEW motore_documenti_v1 AS
SELECT
    a.numero_domanda,                      -- numero domanda
    r.protocollo,                          -- the registration it came with: of the domanda, or of an act
    r.operazione,                          -- which act: `InviaDomanda`, `AllegaDocumento`
    a.posto,                               -- place in it, from 1
    a.schede,                              -- the sheets that it is for: an array of places; NULL = the domanda as a whole
    a.tipo,                                -- word of the codelist
    a.nome_file,                           -- file name
    a.tipo_mime,                           -- word of the codelist
    encode(a.impronta, 'hex') AS impronta, -- SHA-256 of the decoded bytes
    a.bytes_len,                           -- length of the decoded bytes
    d.codec,                               -- how `bytes` are kept: `IDENTITY` = as they are
    d.chiave_id,                           -- the key that encrypts them; NULL = in clear
    d.bytes                                -- the document; NULL = purged
FROM allegati a
JOIN registrazioni r ON r.id = a.registrazione
LEFT JOIN documenti d
    ON d.numero_domanda = a.numero_domanda AND d.registrazione = a.registrazione AND d.posto = a.posto;

-- ── Riesame ─────────────────────────────────────────────────────────────────────────────────────────────────────

-- One row a sheet that is to be looked at again.
CREATE TABLE riesami (
    numero_domanda bigint      NOT NULL, -- of which domanda
    registrazione  bigint      NOT NULL, -- by which act
    posto          integer     NOT NULL, -- which of its sheets
    motivo         text        NOT NULL, -- word of the codelist
    motivazione    text        NOT NULL, -- the same in words, as sent
    stato          text COLLATE "C" NOT NULL DEFAULT 'PRESENTATO' CHECK (stato IN ('PRESENTATO', 'IN_ESAME', 'ACCOLTO', 'RESPINTO')), -- how far it is
    stato_dal      timestamptz NOT NULL, -- since when
    esito_motivo   text,                 -- why it was accepted or not: a sentence for the patronato
    PRIMARY KEY (numero_domanda, registrazione, posto),
    FOREIGN KEY (numero_domanda, posto) REFERENCES schede (numero_domanda, posto)
);

-- Of one sheet one is open.
CREATE UNIQUE INDEX riesami_uno_aperto ON riesami (numero_domanda, posto) WHERE stato IN ('PRESENTATO', 'IN_ESAME');
CREATE INDEX riesami_scheda ON riesami (numero_domanda, posto);

-- The allowed moves of a riesame.
CREATE TABLE mosse_riesame (
    da text COLLATE "C" NOT NULL, -- from this state
    a  text COLLATE "C" NOT NULL, -- to this one
    PRIMARY KEY (da, a)
);

INSERT INTO mosse_riesame (da, a) VALUES
    ('PRESENTATO', 'IN_ESAME'), ('IN_ESAME', 'ACCOLTO'), ('IN_ESAME', 'RESPINTO');

CREATE FUNCTION varco_riesame_mossa() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.registrazione, NEW.posto, NEW.numero_domanda, NEW.motivo, NEW.motivazione)
        IS DISTINCT FROM (OLD.registrazione, OLD.posto, OLD.numero_domanda, OLD.motivo, OLD.motivazione)
        OR NOT EXISTS (SELECT 1 FROM mosse_riesame m WHERE m.da = OLD.stato AND m.a = NEW.stato) THEN
        RAISE EXCEPTION 'riesami: mossa non ammessa (tabella mosse_riesame)'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER riesami_mosse BEFORE UPDATE ON riesami
FOR EACH ROW EXECUTE FUNCTION varco_riesame_mossa();

CREATE TRIGGER riesami_non_si_cancellano BEFORE DELETE ON riesami
FOR EACH ROW EXECUTE FUNCTION varco_vietato('riesami: un riesame resta');

CREATE TRIGGER riesami_non_si_svuotano BEFORE TRUNCATE ON riesami
FOR EACH STATEMENT EXECUTE FUNCTION varco_vietato('riesami: un riesame resta');

-- The riesami, and the one way to move them: an INSERT that names sheet, claim, version, `da` and `a`.
CREATE VIEW motore_riesami_v1 AS
SELECT
    i.numero_domanda,                      -- of which domanda
    i.posto,                               -- which of its sheets
    r.protocollo,                          -- protocol number of the act
    i.motivo,                              -- word of the codelist
    i.motivazione,                         -- the same in words
    r.registrata_il,                       -- when the act was registered
    i.stato,                               -- `PRESENTATO`, `IN_ESAME`, `ACCOLTO`, `RESPINTO`
    i.stato_dal,                           -- since when
    i.esito_motivo,                        -- why; written with ACCOLTO and RESPINTO
    d.versione,                            -- version of the domanda; written: the one that was seen
    NULL::text AS gettone,                 -- written: the claim's secret
    NULL::text AS da,                      -- written: from which state
    NULL::text AS a,                       -- written: to which one
    NULL::timestamptz AS istante           -- written: when, business clock; NULL = now
FROM riesami i
JOIN registrazioni r ON r.id = i.registrazione
JOIN domande d ON d.numero = i.numero_domanda;

-- Checked, applied and told in one statement. An accepted one opens the sheet by a decision like any other, with all its
-- guards and locks: that another domanda has the child meanwhile is told there (MOT-008), and nothing is written.
CREATE FUNCTION varco_riesame() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ora           orologio%ROWTYPE;
    riesame       riesami%ROWTYPE;
    scheda        schede%ROWTYPE;
    domanda       domande%ROWTYPE;
    anno_feed     integer;
    cursore_nuovo bigint;
BEGIN
    SELECT * INTO ora FROM orologio;
    IF coalesce(nullif(current_setting('varco.domanda', true), ''), NEW.numero_domanda::text) <> NEW.numero_domanda::text THEN
        RAISE EXCEPTION 'MOT-017 decisione: una transazione decide di una domanda sola' USING ERRCODE = 'VM017';
    END IF;
    PERFORM set_config('varco.domanda', NEW.numero_domanda::text, true);
    IF NEW.istante IS NOT NULL AND (NOT isfinite(NEW.istante)
        OR ((SELECT c.ambiente FROM motore_contratto_v1 c) = 'produzione'
            AND NEW.istante NOT BETWEEN ora.adesso - interval '1 day' AND ora.adesso + interval '1 day')) THEN
        RAISE EXCEPTION 'MOT-016 decisione: istante non leggibile, oppure lontano piu di un giorno dall''orologio in produzione'
            USING ERRCODE = 'VM016';
    END IF;
    PERFORM 1 FROM prese p
    WHERE p.numero_domanda = NEW.numero_domanda AND p.gettone = NEW.gettone AND p.lasciata_il IS NULL
        AND p.fino_a > ora.vero
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'MOT-001 presa: la domanda non e presa con questo gettone, o la presa e scaduta' USING ERRCODE = 'VM001';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM domande d WHERE d.numero = NEW.numero_domanda AND d.versione = NEW.versione) THEN
        RAISE EXCEPTION 'MOT-002 domanda: e cambiata, la versione non e piu quella vista' USING ERRCODE = 'VM002';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM riesami i
                   WHERE i.numero_domanda = NEW.numero_domanda AND i.posto = NEW.posto AND i.stato = NEW.da
                       AND i.stato IN ('PRESENTATO', 'IN_ESAME')) THEN
        RAISE EXCEPTION 'MOT-018 riesame: la scheda non ne ha uno nello stato detto in da' USING ERRCODE = 'VM018';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM mosse_riesame m WHERE m.da = NEW.da AND m.a = NEW.a) THEN
        RAISE EXCEPTION 'MOT-019 riesame: mossa non ammessa (tabella mosse_riesame)' USING ERRCODE = 'VM019';
    END IF;
    IF (NEW.a IN ('ACCOLTO', 'RESPINTO')) = (coalesce(trim(NEW.esito_motivo), '') = '') THEN
        RAISE EXCEPTION 'MOT-020 riesame: esito_motivo va con ACCOLTO e RESPINTO, e solo con loro' USING ERRCODE = 'VM020';
    END IF;
    IF NEW.a = 'ACCOLTO' THEN
        INSERT INTO motore_decisioni_v1 (tipo, numero_domanda, posto, gettone, versione, istante, da, a, azione_richiesta,
                                         motivo)
        SELECT 'STATO', NEW.numero_domanda, NEW.posto, NEW.gettone, NEW.versione, NEW.istante, s.stato, 'IN_ISTRUTTORIA',
               'NESSUNA', NEW.esito_motivo
        FROM schede s
        WHERE s.numero_domanda = NEW.numero_domanda AND s.posto = NEW.posto;
    END IF;
    PERFORM 1 FROM schede s WHERE s.numero_domanda = NEW.numero_domanda ORDER BY s.posto FOR UPDATE;
    SELECT * INTO domanda FROM domande d WHERE d.numero = NEW.numero_domanda FOR UPDATE;
    -- Looked at before the locks; under them it must still be so.
    IF NEW.a <> 'ACCOLTO' AND domanda.versione <> NEW.versione THEN
        RAISE EXCEPTION 'MOT-002 domanda: e cambiata, la versione non e piu quella vista' USING ERRCODE = 'VM002';
    END IF;
    UPDATE riesami i
    SET stato = NEW.a,
        stato_dal = greatest(i.stato_dal, date_trunc('milliseconds', coalesce(NEW.istante, ora.adesso))),
        esito_motivo = NEW.esito_motivo
    WHERE i.numero_domanda = NEW.numero_domanda AND i.posto = NEW.posto AND i.stato = NEW.da
    RETURNING * INTO riesame;
    UPDATE domande d SET versione = d.versione + 1 WHERE d.numero = NEW.numero_domanda;
    SELECT * INTO scheda FROM schede s WHERE s.numero_domanda = NEW.numero_domanda AND s.posto = NEW.posto;
    anno_feed := extract(year FROM riesame.stato_dal AT TIME ZONE 'UTC');
    IF to_regclass(format('public.variazioni_%s', anno_feed)) IS NULL THEN
        PERFORM varco_prepara_anno(anno_feed);
    END IF;
    UPDATE contatori SET ultimo = ultimo + 1 WHERE nome = 'variazione' RETURNING ultimo INTO cursore_nuovo;
    INSERT INTO variazioni (cursore, istante, tipo, ente, servizio, numero_domanda, posto, stato, azione_richiesta, motivo)
    VALUES (cursore_nuovo, riesame.stato_dal, 'RIESAME', domanda.ente, domanda.servizio, NEW.numero_domanda, NEW.posto,
            scheda.stato, scheda.azione_richiesta, riesame.stato || coalesce(': ' || riesame.esito_motivo, ''));
    RETURN NEW;
END
$$;

CREATE TRIGGER motore_riesami_v1_muove INSTEAD OF INSERT ON motore_riesami_v1
FOR EACH ROW EXECUTE FUNCTION varco_riesame();

-- ── What each role may do, and no more ──────────────────────────────────────────────────────────────────────────

GRANT SELECT ON documenti, motore_documenti_v1 TO varco_gateway;
GRANT INSERT ON documenti TO varco_gateway;

GRANT SELECT ON motore_documenti_v1 TO varco_motore;

-- The gateway writes what was asked for; how it goes on the engine says, by its view alone.
GRANT SELECT ON riesami, mosse_riesame, motore_riesami_v1 TO varco_gateway;
GRANT INSERT ON riesami TO varco_gateway;

REVOKE ALL ON FUNCTION varco_riesame(), varco_riesame_mossa() FROM PUBLIC;
GRANT SELECT ON motore_riesami_v1, mosse_riesame TO varco_motore;
GRANT INSERT (numero_domanda, posto, gettone, versione, istante, da, a, esito_motivo) ON motore_riesami_v1 TO varco_motore;
GRANT SELECT ON mosse_riesame TO varco_audit;
