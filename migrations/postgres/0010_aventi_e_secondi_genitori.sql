-- AU-7: one live domanda a parent. Found by the parent under tutelage, where there is one, else by who asks; only for the
-- prestazione that has this rule, so that the others pay nothing for it.
CREATE INDEX domande_avente ON domande ((coalesce(genitore_tutelato, richiedente)))
WHERE servizio = 'AssegnoUnicoUniversale';

-- The half of a second parent is theirs, and ends with them: a sheet that gets another other parent is no longer seen by
-- the ente that spoke for the one before.

-- The acts of those who are the other parent of a sheet now, and through which ente.
CREATE VIEW secondi_genitori AS
SELECT s.numero_domanda, s.posto, a.registrazione, r.ente
FROM atti a
JOIN registrazioni r ON r.id = a.registrazione AND r.anno = a.anno
JOIN schede s ON s.numero_domanda = a.numero_domanda
    AND s.posto = (a.dettagli ->> 'posto')::integer
    AND s.altro_genitore = r.richiedente
WHERE a.operazione = 'CompletaSecondoGenitore';

-- The sheets that an ente sees because it spoke for their second parent. A row of `deleghe` stays; what it opens does not.
CREATE VIEW deleghe_vive AS
SELECT g.*
FROM deleghe g
WHERE EXISTS (SELECT 1 FROM secondi_genitori x
              WHERE x.numero_domanda = g.numero_domanda AND x.posto = g.posto AND x.ente = g.ente);

-- The list follows: a parent who goes takes the sheet out of it, one who is told again, or speaks again, puts it back.
CREATE FUNCTION varco_elenca_deleghe(la_domanda bigint, la_scheda integer) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM elenco e
    WHERE e.numero_domanda = la_domanda AND e.posto = la_scheda
      AND e.ente IN (SELECT g.ente FROM deleghe g WHERE g.numero_domanda = la_domanda AND g.posto = la_scheda)
      AND e.ente NOT IN (SELECT g.ente FROM deleghe_vive g WHERE g.numero_domanda = la_domanda AND g.posto = la_scheda);
    INSERT INTO elenco (ente, servizio, presentata_il, numero_domanda, posto, registrazione, anno, codice_ufficio,
        richiedente, codice_fiscale, stato, azione_richiesta)
    SELECT g.ente, g.servizio, r.presentata_il, g.numero_domanda, g.posto, g.registrazione, g.anno, r.codice_ufficio, NULL,
           s.codice_fiscale, s.stato, s.azione_richiesta
    FROM deleghe_vive g
    JOIN registrazioni r ON r.id = g.registrazione AND r.anno = g.anno
    JOIN schede s ON s.numero_domanda = g.numero_domanda AND s.posto = g.posto
    WHERE g.numero_domanda = la_domanda AND g.posto = la_scheda
    ON CONFLICT DO NOTHING;
$$;

REVOKE ALL ON FUNCTION varco_elenca_deleghe(bigint, integer) FROM PUBLIC;

CREATE FUNCTION varco_altro_genitore() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM varco_elenca_deleghe(NEW.numero_domanda, NEW.posto);
    RETURN NULL;
END
$$;

CREATE TRIGGER elenco_altro_genitore AFTER UPDATE OF altro_genitore ON schede
FOR EACH ROW WHEN (NEW.altro_genitore IS DISTINCT FROM OLD.altro_genitore)
EXECUTE FUNCTION varco_altro_genitore();

-- Of an ente that had spoken before; one that speaks for the first time is listed by its delega.
CREATE FUNCTION varco_secondo_genitore() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    la_scheda integer := (NEW.dettagli ->> 'posto')::integer;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM deleghe g WHERE g.registrazione = NEW.registrazione) THEN
        PERFORM varco_elenca_deleghe(NEW.numero_domanda, la_scheda);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER elenco_secondo_genitore AFTER INSERT ON atti
FOR EACH ROW WHEN (NEW.operazione = 'CompletaSecondoGenitore')
EXECUTE FUNCTION varco_secondo_genitore();

-- And so does the feed, from then on.
CREATE OR REPLACE FUNCTION varco_variazioni_delegate() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    riga record;
    cursore_nuovo bigint;
BEGIN
    FOR riga IN
        SELECT n.istante, n.tipo, g.ente, n.servizio, n.numero_domanda, n.posto, n.stato, n.azione_richiesta,
               CASE WHEN EXISTS (SELECT 1 FROM registrazioni r
                                 WHERE r.id = n.registrazione AND r.ente = g.ente) THEN n.registrazione END AS registrazione,
               n.beneficiario, CASE WHEN n.tipo = 'PAGAMENTO' THEN n.motivo END AS motivo
        FROM nuove n
        JOIN deleghe_vive g ON g.numero_domanda = n.numero_domanda AND g.posto = n.posto
        JOIN domande d ON d.numero = g.numero_domanda AND d.ente = n.ente
        WHERE n.tipo IN ('STATO', 'RINNOVO', 'COMPLETAMENTO')
           OR (n.tipo = 'PAGAMENTO' AND n.beneficiario = 'ALTRO_GENITORE')
        ORDER BY n.cursore, g.ente
    LOOP
        UPDATE contatori SET ultimo = ultimo + 1 WHERE nome = 'variazione' RETURNING ultimo INTO cursore_nuovo;
        INSERT INTO variazioni (cursore, istante, tipo, ente, servizio, numero_domanda, posto, registrazione, stato,
            azione_richiesta, beneficiario, motivo)
        VALUES (cursore_nuovo, riga.istante, riga.tipo, riga.ente, riga.servizio, riga.numero_domanda, riga.posto,
            riga.registrazione, riga.stato, riga.azione_richiesta, riga.beneficiario, riga.motivo);
    END LOOP;
    RETURN NULL;
END
$$;

-- What was opened before this rule.
DELETE FROM elenco e
WHERE (e.numero_domanda, e.posto, e.ente) IN (SELECT g.numero_domanda, g.posto, g.ente FROM deleghe g)
  AND (e.numero_domanda, e.posto, e.ente) NOT IN (SELECT g.numero_domanda, g.posto, g.ente FROM deleghe_vive g);

GRANT SELECT ON secondi_genitori, deleghe_vive TO varco_gateway;
