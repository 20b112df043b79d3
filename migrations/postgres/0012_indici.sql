-- What a registration writes for those who will search, and no more: most of it never changes before it is found.

-- A domanda is found by what it has as a whole through one entry, not one a sheet: that of its first sheet, or of the sheet
-- that an ente sees alone.
DROP INDEX elenco_data;
DROP INDEX elenco_ufficio;
DROP INDEX elenco_richiedente;
CREATE INDEX elenco_data ON elenco (ente, servizio, presentata_il, numero_domanda)
    WHERE posto = 1 OR richiedente IS NULL;
CREATE INDEX elenco_ufficio ON elenco (ente, servizio, codice_ufficio, presentata_il, numero_domanda)
    WHERE posto = 1 OR richiedente IS NULL;
CREATE INDEX elenco_richiedente ON elenco (ente, servizio, richiedente, presentata_il, numero_domanda)
    WHERE posto = 1 OR richiedente IS NULL;

-- What nobody has looked at yet is found by its date; the state tells it apart from then on.
DROP INDEX elenco_stato;
CREATE INDEX elenco_stato ON elenco (ente, servizio, stato, presentata_il, numero_domanda) WHERE stato <> 'PRESENTATA';
