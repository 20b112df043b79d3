-- What finds a trace that the columns of `tracce` and the register do not (ADR 19). Written with the trace of a message that no
-- registration holds: refused, repeated, read. A registered message costs nothing here.

-- One row for each thing by which such a trace is found: a letter and a value.
--   `C` + an error code that is not the first of its message      (`CXSD-004`)
--   `N` + the number of the domanda that the message was about    (`N42`)
--   `P` + sixteen bytes that stand for somebody who is named in it: HMAC-SHA256 of the codice fiscale, by a key that is
--         not in this store
CREATE TABLE tracce_indizi (
    indizio     bytea       NOT NULL, -- letter and value
    ricevuto_il timestamptz NOT NULL, -- that of the trace
    message_id  uuid        NOT NULL, -- which trace
    PRIMARY KEY (indizio, ricevuto_il, message_id)
) PARTITION BY RANGE (ricevuto_il);

-- The same as before, with the years of `tracce_indizi`.
CREATE OR REPLACE FUNCTION varco_prepara_anno(anno integer) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    tabella   text;
    partizione text;
    valori    text;
BEGIN
    IF anno NOT BETWEEN 1970 AND 9998 THEN
        RAISE EXCEPTION 'varco_prepara_anno: anno % fuori dai limiti', anno USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('varco_prepara_anno'));
    FOREACH tabella IN ARRAY ARRAY['registrazioni', 'ricevute', 'payload', 'variazioni', 'tracce', 'porta',
        'egov', 'tracce_indizi'] LOOP
        partizione := format('%s_%s', tabella, anno);
        CONTINUE WHEN to_regclass(format('public.%I', partizione)) IS NOT NULL;
        valori := CASE
            WHEN tabella IN ('registrazioni', 'ricevute', 'payload') THEN format('IN (%s)', anno)
            ELSE format('FROM (%L) TO (%L)', format('%s-01-01T00:00:00Z', anno), format('%s-01-01T00:00:00Z', anno + 1))
        END;
        -- Made apart and attached: readers and writers of the other years go on meanwhile.
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', partizione, tabella);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES %s', tabella, partizione, valori);
        IF tabella IN ('registrazioni', 'ricevute', 'egov') THEN
            EXECUTE format(
                'CREATE TRIGGER non_si_svuota BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION varco_vietato(%L)',
                partizione, format('%s: non si cancella (DPR 445/2000 art. 53)', tabella));
        END IF;
    END LOOP;
END
$$;

-- The years that are there already.
SELECT varco_prepara_anno(substring(c.relname FROM '[0-9]+$')::integer)
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'tracce'::regclass;

-- What was there before; of persons there is nothing to be had without the key.
INSERT INTO tracce_indizi (indizio, ricevuto_il, message_id)
SELECT DISTINCT convert_to('C' || j.codice, 'UTF8'), t.ricevuto_il, t.message_id
FROM tracce t
CROSS JOIN jsonb_array_elements_text(t.codici) AS j (codice)
WHERE t.codici IS NOT NULL AND j.codice IS DISTINCT FROM t.codice;

INSERT INTO tracce_indizi (indizio, ricevuto_il, message_id)
SELECT convert_to('N' || numero_domanda, 'UTF8'), ricevuto_il, message_id
FROM tracce
WHERE esito <> 'REGISTRATA' AND numero_domanda IS NOT NULL;

-- Searches that somebody gave a name. No person stands in them.
CREATE TABLE tracce_filtri (
    proprietario text COLLATE "C" NOT NULL, -- the operator whose it is; '' = everybody's
    nome         text COLLATE "C" NOT NULL, -- its name
    criteri      jsonb            NOT NULL, -- an object: criterion and value
    salvato_il   timestamptz      NOT NULL, -- when, true clock
    PRIMARY KEY (proprietario, nome)
);

GRANT SELECT, INSERT ON tracce_indizi TO varco_gateway;
GRANT SELECT, INSERT, UPDATE, DELETE ON tracce_filtri TO varco_gateway;
-- The auditor finds no person: whose key it is, is the gateway's.
GRANT SELECT ON tracce_filtri TO varco_audit;
