-- The chain of proof knows what retention took (ADR 21, ADR 22): a purge says how far it came, is sealed once it has ended, and
-- ends where a hold is placed. (While a hold stands, requests, documents, summaries and the days of traces of that domanda stay; its
-- lines in the feed do not: that is cut at its beginning, for all alike.) The bytes of a trace go by an open purge alone. (There is no migration 0021: the number was
-- given away and not used.)

ALTER TABLE pulizie ADD COLUMN arrivata_a timestamptz;                        -- TRACCE, PORTA: all from `da` to before this went; NULL = nothing yet
ALTER TABLE pulizie ADD COLUMN fermata_da bigint REFERENCES domande (numero); -- the held domanda for which it ended early; NULL = it came to its end
ALTER TABLE pulizie ADD COLUMN posto      bigint;                             -- the transaction that ended it; NULL = it goes on

DROP TRIGGER pulizie_avanzano ON pulizie;

UPDATE pulizie
SET posto = pg_current_xact_id()::text::bigint,
    arrivata_a = CASE WHEN regola IN ('TRACCE', 'PORTA') THEN fino_a END
WHERE conclusa_il IS NOT NULL;

CREATE UNIQUE INDEX pulizie_posto ON pulizie (posto, id) WHERE posto IS NOT NULL;

CREATE TRIGGER pulizie_avanzano BEFORE UPDATE ON pulizie
FOR EACH ROW WHEN (OLD.conclusa_il IS NOT NULL OR NEW.id <> OLD.id OR NEW.regola <> OLD.regola OR NEW.da <> OLD.da
    OR NEW.fino_a <> OLD.fino_a OR NEW.iniziata_il <> OLD.iniziata_il OR NEW.passo < OLD.passo OR NEW.righe < OLD.righe
    OR NEW.byte < OLD.byte OR coalesce(NEW.arrivata_a, '-infinity') < coalesce(OLD.arrivata_a, '-infinity')
    OR NEW.arrivata_a > NEW.fino_a OR (NEW.fermata_da IS NOT NULL AND NEW.conclusa_il IS NULL))
EXECUTE FUNCTION varco_vietato('pulizie: una pulizia avanza e basta, e conclusa non cambia');

-- Which transaction ended it says in which order purges are sealed; whoever ends it.
CREATE FUNCTION varco_pulizia_conclusa() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.posto := CASE WHEN NEW.conclusa_il IS NOT NULL THEN pg_current_xact_id()::text::bigint END;
    RETURN NEW;
END
$$;

CREATE TRIGGER pulizie_conclusa BEFORE UPDATE ON pulizie
FOR EACH ROW EXECUTE FUNCTION varco_pulizia_conclusa();

-- Which traces there are of domande that are held, or were: those of registrations by these, the others by what finds them (ADR 19).
-- Nothing is written for it with every trace.
CREATE VIEW tracce_vincolate AS
SELECT v.id AS vincolo, v.numero_domanda, v.tolto_il, t.ricevuto_il
FROM vincoli v
JOIN domande d ON d.numero = v.numero_domanda
JOIN registrazioni r ON r.id = d.registrazione AND r.anno = d.anno
JOIN tracce t ON t.message_id = r.message_id
UNION ALL
SELECT v.id, v.numero_domanda, v.tolto_il, t.ricevuto_il
FROM vincoli v
JOIN atti a ON a.numero_domanda = v.numero_domanda
JOIN registrazioni r ON r.id = a.registrazione AND r.anno = a.anno
JOIN tracce t ON t.message_id = r.message_id
UNION ALL
SELECT v.id, v.numero_domanda, v.tolto_il, i.ricevuto_il
FROM vincoli v
JOIN tracce_indizi i ON i.indizio = convert_to('N' || v.numero_domanda, 'UTF8');

GRANT SELECT ON tracce_vincolate TO varco_gateway;

-- The trace of a registration takes the place of another as a whole, and comes to stand at the end, to be sealed once more. Nothing
-- else of a trace changes, but that its bytes go by a purge. Bytes are compared only where they may not change: they are long.
CREATE OR REPLACE FUNCTION tracce_si_sostituiscono() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    prima record := OLD;
    dopo  record := NEW;
BEGIN
    IF OLD.esito <> 'REGISTRATA' AND NEW.esito = 'REGISTRATA' THEN
        NEW.transazione := pg_current_xact_id()::text::bigint;
        RETURN NEW;
    END IF;
    prima.richiesta := NULL; prima.richiesta_codec := NULL; prima.richiesta_bytes_len := NULL;
    prima.risposta := NULL; prima.risposta_codec := NULL; prima.risposta_bytes_len := NULL; prima.chiave_id := NULL;
    dopo.richiesta := NULL; dopo.richiesta_codec := NULL; dopo.richiesta_bytes_len := NULL;
    dopo.risposta := NULL; dopo.risposta_codec := NULL; dopo.risposta_bytes_len := NULL; dopo.chiave_id := NULL;
    IF prima IS DISTINCT FROM dopo THEN
        RAISE EXCEPTION 'tracce: una traccia si sostituisce soltanto con quella della registrazione'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.richiesta IS NULL AND NEW.risposta IS NULL
       AND EXISTS (SELECT 1 FROM pulizie p WHERE p.regola = 'TRACCE_BYTE' AND p.conclusa_il IS NULL
                   AND OLD.ricevuto_il >= p.da AND OLD.ricevuto_il < p.fino_a) THEN
        RETURN NEW;
    END IF;
    IF NEW.richiesta IS DISTINCT FROM OLD.richiesta OR NEW.richiesta_codec IS DISTINCT FROM OLD.richiesta_codec
       OR NEW.richiesta_bytes_len IS DISTINCT FROM OLD.richiesta_bytes_len
       OR NEW.risposta IS DISTINCT FROM OLD.risposta OR NEW.risposta_codec IS DISTINCT FROM OLD.risposta_codec
       OR NEW.risposta_bytes_len IS DISTINCT FROM OLD.risposta_bytes_len
       OR NEW.chiave_id IS DISTINCT FROM OLD.chiave_id THEN
        RAISE EXCEPTION 'tracce: i byte di una traccia si scartano soltanto, a termine (tabella pulizie)'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;

REVOKE ALL ON FUNCTION tracce_si_sostituiscono(), varco_pulizia_conclusa() FROM PUBLIC;

-- One step of the open purge of a rule: at most so many rows, and those of the same instant as the last (of RICHIESTE: domande looked
-- at), and how far it has come, in one transaction. No row where there is none, or where another gateway is at it. All that the
-- gateway can delete.
CREATE OR REPLACE FUNCTION varco_pulisci(la_regola text, al_massimo integer, ora timestamptz, adesso timestamptz)
RETURNS TABLE (righe_tolte bigint, byte_tolti bigint, finita boolean) LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    p      pulizie%ROWTYPE;
    riga   record;
    sue    bigint;
    suoi   bigint;
    viste  bigint := 0;
    fin    timestamptz;
    prima  timestamptz;
BEGIN
    SELECT * INTO p FROM pulizie u WHERE u.regola = la_regola AND u.conclusa_il IS NULL FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    righe_tolte := 0;
    byte_tolti := 0;
    finita := false;
    -- A hold that was placed meanwhile ends the purge where it is, while something of its domanda is left there.
    IF la_regola IN ('TRACCE', 'TRACCE_BYTE') THEN
        SELECT t.numero_domanda INTO p.fermata_da
        FROM tracce_vincolate t
        WHERE t.tolto_il IS NULL AND t.ricevuto_il >= p.da AND t.ricevuto_il < p.fino_a
        ORDER BY t.vincolo
        LIMIT 1;
    END IF;
    IF p.fermata_da IS NOT NULL THEN
        finita := true;
    ELSIF la_regola = 'RICHIESTE' THEN
        FOR riga IN
            SELECT q.numero_domanda, t.finito_il, t.vincolata,
                   (SELECT r.registrata_il FROM domande d JOIN registrazioni r ON r.id = d.registrazione AND r.anno = d.anno
                    WHERE d.numero = q.numero_domanda) AS registrata_il
            FROM (SELECT DISTINCT y.numero_domanda FROM payload y WHERE y.numero_domanda > p.passo ORDER BY 1 LIMIT al_massimo) q
            JOIN procedimenti t ON t.numero_domanda = q.numero_domanda
            ORDER BY q.numero_domanda
        LOOP
            viste := viste + 1;
            -- Numbers go up with time: behind this one nothing is old enough.
            IF riga.registrata_il >= p.fino_a THEN
                finita := true;
                EXIT;
            END IF;
            p.passo := riga.numero_domanda;
            CONTINUE WHEN riga.vincolata OR riga.finito_il IS NULL OR riga.finito_il >= p.fino_a;
            SELECT count(*), coalesce(sum(octet_length(y.bytes)), 0) INTO sue, suoi
            FROM payload y WHERE y.numero_domanda = riga.numero_domanda;
            byte_tolti := byte_tolti + suoi
                + coalesce((SELECT sum(octet_length(d.bytes)) FROM documenti d WHERE d.numero_domanda = riga.numero_domanda), 0)
                + coalesce((SELECT sum(octet_length(c.bytes)) FROM carte c
                            WHERE c.numero_domanda = riga.numero_domanda AND c.documento = 'RIEPILOGO'), 0);
            righe_tolte := righe_tolte + sue;
            INSERT INTO scarti (registrazione, scartata_il, motivo)
            SELECT y.registrazione, adesso, 'RICHIESTE' FROM payload y WHERE y.numero_domanda = riga.numero_domanda;
            DELETE FROM documenti d WHERE d.numero_domanda = riga.numero_domanda;
            DELETE FROM payload y WHERE y.numero_domanda = riga.numero_domanda;
        END LOOP;
        finita := finita OR viste < al_massimo;
    ELSIF la_regola = 'TRACCE_BYTE' THEN
        WITH pagina AS (
            SELECT t.message_id, t.ricevuto_il
            FROM tracce t
            WHERE t.ricevuto_il >= p.da + p.passo * interval '1 microsecond' AND t.ricevuto_il < p.fino_a
              AND (t.richiesta IS NOT NULL OR t.risposta IS NOT NULL)
            ORDER BY t.ricevuto_il
            LIMIT al_massimo
        ), misurate AS (
            SELECT g.message_id, g.ricevuto_il,
                   coalesce(octet_length(t.richiesta), 0) + coalesce(octet_length(t.risposta), 0) AS quanti
            FROM pagina g JOIN tracce t ON t.message_id = g.message_id AND t.ricevuto_il = g.ricevuto_il
        ), vuotate AS (
            UPDATE tracce t
            SET richiesta = NULL, richiesta_codec = NULL, richiesta_bytes_len = NULL,
                risposta = NULL, risposta_codec = NULL, risposta_bytes_len = NULL
            FROM misurate m
            WHERE t.message_id = m.message_id AND t.ricevuto_il = m.ricevuto_il
        )
        SELECT count(*), coalesce(sum(m.quanti), 0), max(m.ricevuto_il) INTO righe_tolte, byte_tolti, fin FROM misurate m;
        IF fin IS NOT NULL THEN
            p.passo := extract(epoch FROM fin - p.da) * 1000000;
        END IF;
        finita := righe_tolte < al_massimo;
    ELSIF la_regola = 'TRACCE' THEN
        -- Up to the instant of the first one that is too many; all of one instant go together, so that `arrivata_a` tells what went.
        SELECT min(t.ricevuto_il) INTO prima FROM tracce t WHERE t.ricevuto_il >= p.da AND t.ricevuto_il < p.fino_a;
        SELECT t.ricevuto_il INTO fin FROM tracce t WHERE t.ricevuto_il >= p.da AND t.ricevuto_il < p.fino_a
        ORDER BY t.ricevuto_il OFFSET al_massimo LIMIT 1;
        IF fin = prima THEN
            SELECT min(t.ricevuto_il) INTO fin FROM tracce t WHERE t.ricevuto_il > prima AND t.ricevuto_il < p.fino_a;
        END IF;
        finita := fin IS NULL;
        fin := coalesce(fin, p.fino_a);
        -- With what belongs to them: a trace is there with its exchange, or is gone.
        WITH scambi AS (
            DELETE FROM egov e WHERE e.istante >= p.da AND e.istante < fin
            RETURNING coalesce(octet_length(e.intestazioni), 0) + coalesce(octet_length(e.richiesta), 0)
                + coalesce(octet_length(e.risposta), 0) AS quanti
        ), indizi AS (
            DELETE FROM tracce_indizi i WHERE i.ricevuto_il >= p.da AND i.ricevuto_il < fin
        ), tolte AS (
            DELETE FROM tracce t WHERE t.ricevuto_il >= p.da AND t.ricevuto_il < fin
            RETURNING pg_column_size(t.*)::bigint AS quanti
        )
        SELECT (SELECT count(*) FROM tolte),
               coalesce((SELECT sum(quanti) FROM tolte), 0) + coalesce((SELECT sum(quanti) FROM scambi), 0)
        INTO righe_tolte, byte_tolti;
        p.arrivata_a := greatest(p.arrivata_a, fin);
    ELSIF la_regola = 'PORTA' THEN
        SELECT min(r.istante) INTO prima FROM porta r WHERE r.istante >= p.da AND r.istante < p.fino_a;
        SELECT r.istante INTO fin FROM porta r WHERE r.istante >= p.da AND r.istante < p.fino_a
        ORDER BY r.istante OFFSET al_massimo LIMIT 1;
        IF fin = prima THEN
            SELECT min(r.istante) INTO fin FROM porta r WHERE r.istante > prima AND r.istante < p.fino_a;
        END IF;
        finita := fin IS NULL;
        fin := coalesce(fin, p.fino_a);
        WITH tolte AS (
            DELETE FROM porta r WHERE r.istante >= p.da AND r.istante < fin
            RETURNING pg_column_size(r.*)::bigint AS quanti
        )
        SELECT count(*), coalesce(sum(quanti), 0) INTO righe_tolte, byte_tolti FROM tolte;
        p.arrivata_a := greatest(p.arrivata_a, fin);
    ELSE
        -- The feed is cut at its beginning, in its own order: what follows a row that stays, stays.
        WITH pagina AS (
            SELECT x.cursore, x.istante, x.ente, x.servizio FROM variazioni x ORDER BY x.cursore LIMIT al_massimo
        ), via AS (
            SELECT * FROM pagina g
            WHERE g.cursore < coalesce((SELECT min(h.cursore) FROM pagina h WHERE h.istante >= p.fino_a), 9223372036854775807)
        ), segnate AS (
            INSERT INTO variazioni_scartate AS s (ente, servizio, cursore, istante)
            SELECT v.ente, v.servizio, max(v.cursore), max(v.istante) FROM via v GROUP BY v.ente, v.servizio
            ON CONFLICT (ente, servizio) DO UPDATE
            SET cursore = greatest(s.cursore, excluded.cursore), istante = greatest(s.istante, excluded.istante)
        ), tolte AS (
            DELETE FROM variazioni x USING via v WHERE x.cursore = v.cursore AND x.istante = v.istante
            RETURNING pg_column_size(x.*)::bigint AS quanti
        )
        SELECT count(*), coalesce(sum(quanti), 0) INTO righe_tolte, byte_tolti FROM tolte;
        finita := righe_tolte < al_massimo;
    END IF;
    UPDATE pulizie u
    SET passo = p.passo,
        righe = u.righe + righe_tolte,
        byte = u.byte + byte_tolti,
        arrivata_a = p.arrivata_a,
        fermata_da = p.fermata_da,
        conclusa_il = CASE WHEN finita THEN ora END
    WHERE u.id = p.id;
    RETURN NEXT;
END
$$;
