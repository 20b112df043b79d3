-- AU-7: one live domanda a parent. Found by the parent under tutelage, where there is one, else by who asks; only for the
-- prestazione that has this rule, so that the others pay nothing for it.
CREATE INDEX domande_avente ON domande (coalesce(genitore_tutelato, richiedente))
WHERE servizio = 'AssegnoUnicoUniversale';

-- The half of a second parent is theirs, and ends with them: a sheet that gets another other parent is no longer seen by
-- the ente that spoke for the one before.

-- The acts of those who are the other parent of a sheet now, and through which ente.
CREATE VIEW secondi_genitori AS
SELECT s.numero_domanda, s.posto, a.registrazione, r.ente
FROM atti a
CROSS JOIN registrazioni r ON r.id = a.registrazione
CROSS JOIN schede s ON s.numero_domanda = a.numero_domanda
    AND s.posto = json_extract(a.dettagli, '$.posto')
    AND s.altro_genitore = r.richiedente
WHERE a.operazione = 'CompletaSecondoGenitore';

-- The sheets that an ente sees because it spoke for their second parent. A row of `deleghe` stays; what it opens does not.
CREATE VIEW deleghe_vive AS
SELECT g.*
FROM deleghe g
WHERE EXISTS (SELECT 1 FROM secondi_genitori x
              WHERE x.numero_domanda = g.numero_domanda AND x.posto = g.posto AND x.ente = g.ente);

-- The list follows: a parent who goes takes the sheet out of it, one who is told again, or speaks again, puts it back.
CREATE TRIGGER elenco_altro_genitore AFTER UPDATE OF altro_genitore ON schede
WHEN NEW.altro_genitore IS NOT OLD.altro_genitore
BEGIN
    DELETE FROM elenco
    WHERE numero_domanda = NEW.numero_domanda AND posto = NEW.posto
      AND ente IN (SELECT ente FROM deleghe WHERE numero_domanda = NEW.numero_domanda AND posto = NEW.posto);
    INSERT INTO elenco (ente, servizio, presentata_il, numero_domanda, posto, registrazione, codice_ufficio, richiedente,
        codice_fiscale, stato, azione_richiesta)
    SELECT g.ente, g.servizio, r.presentata_il, g.numero_domanda, g.posto, g.registrazione, r.codice_ufficio, NULL,
           NEW.codice_fiscale, NEW.stato, NEW.azione_richiesta
    FROM deleghe_vive g
    JOIN registrazioni r ON r.id = g.registrazione
    WHERE g.numero_domanda = NEW.numero_domanda AND g.posto = NEW.posto;
END;

CREATE TRIGGER elenco_secondo_genitore AFTER INSERT ON atti
WHEN NEW.operazione = 'CompletaSecondoGenitore'
BEGIN
    INSERT INTO elenco (ente, servizio, presentata_il, numero_domanda, posto, registrazione, codice_ufficio, richiedente,
        codice_fiscale, stato, azione_richiesta)
    SELECT g.ente, g.servizio, r.presentata_il, g.numero_domanda, g.posto, g.registrazione, r.codice_ufficio, NULL,
           s.codice_fiscale, s.stato, s.azione_richiesta
    FROM deleghe_vive g
    JOIN registrazioni r ON r.id = g.registrazione
    JOIN schede s ON s.numero_domanda = g.numero_domanda AND s.posto = g.posto
    WHERE g.numero_domanda = NEW.numero_domanda
      AND NOT EXISTS (SELECT 1 FROM elenco e
                      WHERE e.numero_domanda = g.numero_domanda AND e.posto = g.posto AND e.ente = g.ente);
END;

-- And so does the feed, from then on.
DROP TRIGGER variazioni_delegate;
CREATE TRIGGER variazioni_delegate AFTER INSERT ON variazioni
WHEN NEW.posto IS NOT NULL AND NEW.tipo IN ('STATO', 'RINNOVO', 'COMPLETAMENTO', 'PAGAMENTO')
BEGIN
    INSERT INTO variazioni (istante, tipo, ente, servizio, numero_domanda, posto, registrazione, stato, azione_richiesta,
        beneficiario, motivo)
    SELECT NEW.istante, NEW.tipo, g.ente, NEW.servizio, NEW.numero_domanda, NEW.posto,
           (SELECT r.id FROM registrazioni r WHERE r.id = NEW.registrazione AND r.ente = g.ente),
           NEW.stato, NEW.azione_richiesta, NEW.beneficiario,
           CASE WHEN NEW.tipo = 'PAGAMENTO' THEN NEW.motivo END
    FROM deleghe_vive g
    JOIN domande d ON d.numero = g.numero_domanda AND d.ente = NEW.ente
    WHERE g.numero_domanda = NEW.numero_domanda
      AND g.posto = NEW.posto
      AND (NEW.tipo <> 'PAGAMENTO' OR NEW.beneficiario = 'ALTRO_GENITORE');
END;

-- What was opened before this rule.
DELETE FROM elenco
WHERE (numero_domanda, posto, ente) IN (SELECT numero_domanda, posto, ente FROM deleghe)
  AND (numero_domanda, posto, ente) NOT IN (SELECT numero_domanda, posto, ente FROM deleghe_vive);
