-- What a registration writes for those who will search, and no more: most of it never changes before it is found.

-- ── The list ────────────────────────────────────────────────────────────────────────────────────────────────────

-- A domanda is found by what it has as a whole through one entry, not one a sheet: that of its first sheet, or of the sheet
-- that an ente sees alone.
DROP INDEX elenco_data;
DROP INDEX elenco_ufficio;
DROP INDEX elenco_richiedente;
CREATE INDEX elenco_data ON elenco (ente, servizio, presentata_il)
    WHERE posto = 1 OR richiedente IS NULL;
CREATE INDEX elenco_ufficio ON elenco (ente, servizio, codice_ufficio, presentata_il)
    WHERE posto = 1 OR richiedente IS NULL;
CREATE INDEX elenco_richiedente ON elenco (ente, servizio, richiedente, presentata_il)
    WHERE posto = 1 OR richiedente IS NULL;

-- What nobody has looked at yet is found by its date; the state tells it apart from then on.
DROP INDEX elenco_stato;
CREATE INDEX elenco_stato ON elenco (ente, servizio, stato, presentata_il) WHERE stato <> 'PRESENTATA';

-- The sheets of a child: the live one has its index, this is for the others. Few for each child, so they are sorted when
-- asked for.
DROP INDEX elenco_minore;
CREATE INDEX schede_chiuse ON schede (servizio, codice_fiscale)
    WHERE stato <> 'PRESENTATA'
      AND stato NOT IN ('PRESENTATA', 'IN_ISTRUTTORIA', 'IN_EVIDENZA_CITTADINO', 'IN_EVIDENZA_SEDE', 'SOSPESA', 'ACCOLTA');
CREATE VIEW elenco_per_minore AS
SELECT e.ente, s.servizio, e.presentata_il, e.numero_domanda, e.posto, e.codice_ufficio, e.richiedente, s.codice_fiscale,
       e.stato, e.azione_richiesta
FROM schede s
CROSS JOIN elenco e ON e.numero_domanda = s.numero_domanda AND e.posto = s.posto
WHERE s.stato IN ('PRESENTATA', 'IN_ISTRUTTORIA', 'IN_EVIDENZA_CITTADINO', 'IN_EVIDENZA_SEDE', 'SOSPESA', 'ACCOLTA')
UNION ALL
SELECT e.ente, s.servizio, e.presentata_il, e.numero_domanda, e.posto, e.codice_ufficio, e.richiedente, s.codice_fiscale,
       e.stato, e.azione_richiesta
FROM schede s
CROSS JOIN elenco e ON e.numero_domanda = s.numero_domanda AND e.posto = s.posto
WHERE s.stato <> 'PRESENTATA'
  AND s.stato NOT IN ('PRESENTATA', 'IN_ISTRUTTORIA', 'IN_EVIDENZA_CITTADINO', 'IN_EVIDENZA_SEDE', 'SOSPESA', 'ACCOLTA');

-- ── The sheets ──────────────────────────────────────────────────────────────────────────────────────────────────

-- A trigger on INSERT makes SQLite copy every row of a statement aside and start a program for each. The one gateway that
-- inserts sheets does what these two did, for all sheets of a batch at once.
DROP TRIGGER elenco_scheda;
DROP TRIGGER schede_subentrano;

-- In a condition of a table or an index a list of words is laid out anew for every row. The word that a new sheet has comes
-- first now, and ends the look. A query that asks by the list alone finds the index as before.
DROP INDEX schede_vive;
CREATE UNIQUE INDEX schede_vive ON schede (servizio, codice_fiscale)
    WHERE stato = 'PRESENTATA'
       OR stato IN ('PRESENTATA', 'IN_ISTRUTTORIA', 'IN_EVIDENZA_CITTADINO', 'IN_EVIDENZA_SEDE', 'SOSPESA', 'ACCOLTA');

-- Nothing of what is stored changes: the text is put right where it stands, which is the way that SQLite has for it
-- (lang_altertable.html, "Making Other Kinds Of Table Schema Changes").
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
SET sql = replace(replace(sql,
    'CHECK (stato IN (', 'CHECK (stato = ''PRESENTATA'' OR stato IN ('),
    'CHECK (azione_richiesta IN (', 'CHECK (azione_richiesta = ''NESSUNA'' OR azione_richiesta IN (')
WHERE type = 'table' AND name = 'schede';
PRAGMA writable_schema = RESET;
