-- What was paid to the other parent of a sheet is theirs alone: the ente that speaks for the one who comes after is not told
-- it. And the month from which the half counts was told by whom it was told of.

ALTER TABLE schede ADD COLUMN altro_genitore_dopo INTEGER; -- the last payment's decision when another became the other parent; NULL = nobody has

CREATE TRIGGER schede_altro_genitore AFTER UPDATE OF altro_genitore ON schede
WHEN NEW.altro_genitore IS NOT OLD.altro_genitore
BEGIN
    UPDATE schede
    SET altro_genitore_dal = NULL,
        altro_genitore_dopo = (SELECT coalesce(max(decisione), 0) FROM pagamenti
                               WHERE numero_domanda = NEW.numero_domanda AND posto = NEW.posto)
    WHERE numero_domanda = NEW.numero_domanda AND posto = NEW.posto;
END;

-- Those who became it before this rule: an act says which values of which sheet it changed.
UPDATE schede
SET altro_genitore_dopo = (SELECT coalesce(max(p.decisione), 0) FROM pagamenti p
                           WHERE p.numero_domanda = schede.numero_domanda AND p.posto = schede.posto
                             AND p.istante <= (SELECT max(r.registrata_il)
                                               FROM atti a, json_each(a.dettagli, '$.campi') c
                                               JOIN registrazioni r ON r.id = a.registrazione
                                               WHERE a.numero_domanda = schede.numero_domanda
                                                 AND a.operazione = 'ModificaDomanda'
                                                 AND c.value = schede.posto || '.altro_genitore'))
WHERE EXISTS (SELECT 1 FROM atti a, json_each(a.dettagli, '$.campi') c
              WHERE a.numero_domanda = schede.numero_domanda
                AND a.operazione = 'ModificaDomanda'
                AND c.value = schede.posto || '.altro_genitore');

UPDATE schede
SET altro_genitore_dal = NULL
WHERE altro_genitore_dopo IS NOT NULL AND altro_genitore_dal IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM secondi_genitori g
                  WHERE g.numero_domanda = schede.numero_domanda AND g.posto = schede.posto);

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

-- The feed is told the same, by the row that was just written.
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
      AND (NEW.tipo <> 'PAGAMENTO'
           OR EXISTS (SELECT 1 FROM pagamenti_del_secondo p
                      WHERE p.numero_domanda = NEW.numero_domanda AND p.posto = NEW.posto
                        AND p.decisione = (SELECT max(x.decisione) FROM pagamenti x
                                           WHERE x.numero_domanda = NEW.numero_domanda AND x.posto = NEW.posto)));
END;
