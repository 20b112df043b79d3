-- What was paid to the other parent of a sheet is theirs alone: the ente that speaks for the one who comes after is not told
-- it. And the month from which the half counts was told by whom it was told of.

ALTER TABLE schede ADD COLUMN altro_genitore_dopo bigint; -- the last payment's decision when another became the other parent; NULL = nobody has

CREATE FUNCTION varco_altro_genitore_dopo() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.altro_genitore_dal := NULL;
    SELECT coalesce(max(decisione), 0) INTO NEW.altro_genitore_dopo FROM pagamenti
    WHERE numero_domanda = NEW.numero_domanda AND posto = NEW.posto;
    RETURN NEW;
END
$$;

CREATE TRIGGER schede_altro_genitore BEFORE UPDATE OF altro_genitore ON schede
FOR EACH ROW WHEN (NEW.altro_genitore IS DISTINCT FROM OLD.altro_genitore)
EXECUTE FUNCTION varco_altro_genitore_dopo();

-- Those who became it before this rule: an act says which values of which sheet it changed.
UPDATE schede s
SET altro_genitore_dopo = (SELECT coalesce(max(p.decisione), 0) FROM pagamenti p
                           WHERE p.numero_domanda = s.numero_domanda AND p.posto = s.posto
                             AND p.istante <= cambiata.il)
FROM (SELECT a.numero_domanda, c.campo, max(r.registrata_il) AS il
      FROM atti a
      JOIN registrazioni r ON r.id = a.registrazione AND r.anno = a.anno
      CROSS JOIN LATERAL jsonb_array_elements_text(a.dettagli -> 'campi') AS c (campo)
      WHERE a.operazione = 'ModificaDomanda' AND c.campo LIKE '%.altro\_genitore'
      GROUP BY a.numero_domanda, c.campo) cambiata
WHERE cambiata.numero_domanda = s.numero_domanda AND cambiata.campo = s.posto || '.altro_genitore';

UPDATE schede s
SET altro_genitore_dal = NULL
WHERE s.altro_genitore_dopo IS NOT NULL AND s.altro_genitore_dal IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM secondi_genitori g
                  WHERE g.numero_domanda = s.numero_domanda AND g.posto = s.posto);

-- What is told of the other parent's half to the ente that speaks for them: of a sheet whose other parent became another, a
-- month from its first payment to this one on.
CREATE VIEW pagamenti_del_secondo AS
SELECT p.*
FROM pagamenti p
JOIN schede s ON s.numero_domanda = p.numero_domanda AND s.posto = p.posto
WHERE p.beneficiario = 'ALTRO_GENITORE'
  AND (s.altro_genitore_dopo IS NULL
       OR EXISTS (SELECT 1 FROM pagamenti suo
                  WHERE suo.numero_domanda = p.numero_domanda AND suo.posto = p.posto AND suo.mese = p.mese
                    AND suo.beneficiario = p.beneficiario AND suo.tipo = 'PAGATO'
                    AND suo.decisione > s.altro_genitore_dopo AND suo.decisione <= p.decisione));

GRANT SELECT ON pagamenti_del_secondo TO varco_gateway;

-- The feed is told the same, by the row that was just written.
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
           OR (n.tipo = 'PAGAMENTO'
               AND EXISTS (SELECT 1 FROM pagamenti_del_secondo p
                           WHERE p.numero_domanda = n.numero_domanda AND p.posto = n.posto
                             AND p.decisione = (SELECT max(x.decisione) FROM pagamenti x
                                                WHERE x.numero_domanda = n.numero_domanda AND x.posto = n.posto)))
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
