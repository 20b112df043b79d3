-- The channel of the porte di dominio: which buste e-Gov were taken in, and what was exchanged with them.

-- The Identificativi that were used up: a busta with one of them is EGOV_IT_110. Written in the transaction of what became
-- of the message, and forgotten once a busta of that day would be too old anyhow. The day is the one that the Identificativo
-- itself tells, so that they are found and forgotten by one key.
CREATE TABLE buste (
    giorno         date             NOT NULL, -- 2021-07-15
    identificatore text COLLATE "C" NOT NULL, -- `PatronatoUno_PatronatoUnoSPCoopIT_0000042_2021-07-15_10:31`
    PRIMARY KEY (giorno, identificatore)
);

CREATE TRIGGER buste_non_si_modificano BEFORE UPDATE ON buste
FOR EACH ROW EXECUTE FUNCTION varco_vietato('buste: un Identificatore accolto non si modifica');

CREATE TRIGGER buste_non_si_svuotano BEFORE TRUNCATE ON buste
FOR EACH STATEMENT EXECUTE FUNCTION varco_vietato('buste: un Identificatore accolto non si cancella');

-- Forgets some of the Identificativi of the days before one, and tells how many: all that the gateway can delete. A day that
-- is not over anywhere is never forgotten.
CREATE FUNCTION varco_dimentica_buste(prima date, al_massimo bigint) RETURNS bigint LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH vecchie AS (
        SELECT giorno, identificatore FROM buste
        WHERE giorno < LEAST(prima, CURRENT_DATE - 1)
        ORDER BY giorno, identificatore
        LIMIT al_massimo
    ), dimenticate AS (
        DELETE FROM buste b USING vecchie v
        WHERE b.giorno = v.giorno AND b.identificatore = v.identificatore
        RETURNING 1
    )
    SELECT count(*) FROM dimenticate
$$;

REVOKE ALL ON FUNCTION varco_dimentica_buste(date, bigint) FROM PUBLIC;

-- One row an exchange: the Intestazione that came and the one that went back, byte by byte. What had none has a diagnostic.
CREATE TABLE egov (
    message_id              uuid             NOT NULL, -- of which message (`tracce`, `registrazioni`)
    istante                 timestamptz      NOT NULL, -- when it came, true clock
    porta                   text             NOT NULL, -- our porta: IdentificativoPorta of the records
    controparte             text COLLATE "C",          -- who the busta says that it is from
    identificatore          text COLLATE "C",          -- its Identificatore
    risposta_identificatore text COLLATE "C",          -- that of our answer
    risposta_istante        timestamptz,               -- when our answer was made
    certificato_sha256      text             NOT NULL, -- fingerprint of the client certificate
    forma                   text CHECK (forma IN ('RISPOSTA', 'A', 'B', 'C')), -- how it was answered; NULL = it was not
    richiesta               bytea,                     -- the Intestazione as received
    legami                  text,                      -- prefixes that the message bound around it, as attributes; NULL = none
    risposta                bytea,                     -- the Intestazione as sent
    livello                 smallint CHECK (livello BETWEEN 0 AND 9), -- severity of the diagnostic
    diagnostico             text,                      -- what is known of a message without Intestazione
    PRIMARY KEY (message_id, istante)
) PARTITION BY RANGE (istante);

CREATE INDEX egov_istante ON egov (istante);
CREATE INDEX egov_identificatore ON egov (identificatore) WHERE identificatore IS NOT NULL;
CREATE INDEX egov_risposta ON egov (risposta_identificatore) WHERE risposta_identificatore IS NOT NULL;

CREATE TRIGGER egov_non_si_modifica BEFORE UPDATE ON egov
FOR EACH ROW EXECUTE FUNCTION varco_vietato('egov: una traccia non si modifica');

CREATE TRIGGER egov_non_si_cancella BEFORE DELETE ON egov
FOR EACH ROW EXECUTE FUNCTION varco_vietato('egov: una traccia non si cancella');

CREATE TRIGGER egov_non_si_svuota BEFORE TRUNCATE ON egov
FOR EACH STATEMENT EXECUTE FUNCTION varco_vietato('egov: una traccia non si cancella');

-- The same as before, with the years of `egov`.
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
        'egov'] LOOP
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

-- The numbers of our own Identificativi; drawn by blocks.
INSERT INTO contatori (nome, ultimo) VALUES ('egov', 0);

GRANT SELECT, INSERT ON buste, egov TO varco_gateway;
GRANT EXECUTE ON FUNCTION varco_dimentica_buste(date, bigint) TO varco_gateway;
GRANT SELECT ON buste, egov TO varco_audit;
