-- The chain of proof knows what retention took (ADR 21, ADR 22): a purge says how far it came, is sealed once it has ended, and
-- ends where a hold is placed. (While a hold stands, requests, documents, summaries and the days of traces of that domanda stay; its
-- lines in the feed do not: that is cut at its beginning, for all alike.) The bytes of a trace go by an open purge alone. (There is no migration 0021: the number was
-- given away and not used.)

ALTER TABLE pulizie ADD COLUMN arrivata_a INTEGER;                             -- TRACCE, PORTA: all from `da` to before this went; NULL = nothing yet
ALTER TABLE pulizie ADD COLUMN fermata_da INTEGER REFERENCES domande (numero); -- the held domanda for which it ended early; NULL = it came to its end
ALTER TABLE pulizie ADD COLUMN posto      INTEGER;                             -- place among those that ended; NULL = it goes on

DROP TRIGGER pulizie_avanzano;

UPDATE pulizie
SET posto = (SELECT count(*) FROM pulizie p WHERE p.conclusa_il IS NOT NULL AND p.id <= pulizie.id),
    arrivata_a = CASE WHEN regola IN ('TRACCE', 'PORTA') THEN fino_a END
WHERE conclusa_il IS NOT NULL;

CREATE UNIQUE INDEX pulizie_posto ON pulizie (posto) WHERE posto IS NOT NULL;

CREATE TRIGGER pulizie_avanzano BEFORE UPDATE ON pulizie
WHEN OLD.conclusa_il IS NOT NULL OR NEW.id <> OLD.id OR NEW.regola <> OLD.regola OR NEW.da <> OLD.da OR NEW.fino_a <> OLD.fino_a
  OR NEW.iniziata_il <> OLD.iniziata_il OR NEW.passo < OLD.passo OR NEW.righe < OLD.righe OR NEW.byte < OLD.byte
  OR coalesce(NEW.arrivata_a, 0) < coalesce(OLD.arrivata_a, 0) OR NEW.arrivata_a > NEW.fino_a
  OR (NEW.conclusa_il IS NULL) <> (NEW.posto IS NULL) OR (NEW.fermata_da IS NOT NULL AND NEW.conclusa_il IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'pulizie: una pulizia avanza e basta, e conclusa non cambia');
END;

-- Which traces there are of domande that are held, or were: those of registrations by these, the others by what finds them (ADR 19).
-- Nothing is written for it with every trace.
CREATE VIEW tracce_vincolate AS
SELECT v.id AS vincolo, v.numero_domanda, v.tolto_il, t.ricevuto_il
FROM vincoli v
CROSS JOIN domande d ON d.numero = v.numero_domanda
CROSS JOIN registrazioni r ON r.id = d.registrazione
CROSS JOIN tracce t ON t.message_id = r.message_id
UNION ALL
SELECT v.id, v.numero_domanda, v.tolto_il, t.ricevuto_il
FROM vincoli v
CROSS JOIN atti a ON a.numero_domanda = v.numero_domanda
CROSS JOIN registrazioni r ON r.id = a.registrazione
CROSS JOIN tracce t ON t.message_id = r.message_id
UNION ALL
SELECT v.id, v.numero_domanda, v.tolto_il, i.ricevuto_il
FROM vincoli v
CROSS JOIN tracce_indizi i ON i.indizio = CAST('N' || v.numero_domanda AS BLOB);

-- A row's id is its place in the chain: that of the last one, given away again, would never be sealed.
CREATE TRIGGER tracce_l_ultima_resta BEFORE DELETE ON tracce
WHEN OLD.id = (SELECT max(id) FROM tracce)
BEGIN
    SELECT RAISE(ABORT, 'tracce: l''ultima traccia scritta resta, finche non ne viene un''altra');
END;

CREATE TRIGGER porta_l_ultimo_resta BEFORE DELETE ON porta
WHEN OLD.id = (SELECT max(id) FROM porta)
BEGIN
    SELECT RAISE(ABORT, 'porta: l''ultimo rifiuto scritto resta, finche non ne viene un altro');
END;

-- The trace of a registration takes the place of another as a whole (INSERT OR REPLACE); bytes alone only go, by a purge.
CREATE TRIGGER tracce_byte_a_termine
BEFORE UPDATE OF richiesta, richiesta_codec, richiesta_bytes_len, risposta, risposta_codec, risposta_bytes_len, chiave_id ON tracce
WHEN NEW.richiesta IS NOT NULL OR NEW.risposta IS NOT NULL
  OR NOT EXISTS (SELECT 1 FROM pulizie WHERE regola = 'TRACCE_BYTE' AND conclusa_il IS NULL
                 AND OLD.ricevuto_il >= da AND OLD.ricevuto_il < fino_a)
BEGIN
    SELECT RAISE(ABORT, 'tracce: i byte di una traccia si scartano soltanto, a termine (tabella pulizie)');
END;
