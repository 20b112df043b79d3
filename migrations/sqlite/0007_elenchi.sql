-- What a patronato asks for a page at a time: the feed of its changes, and the list of its domande.

-- ── The feed ────────────────────────────────────────────────────────────────────────────────────────────────────

-- One ente's rows after a cursor: behind the two columns SQLite keeps the rowid, which is `cursore`.
CREATE INDEX variazioni_ente ON variazioni (ente, servizio);
-- Where a date begins in them.
CREATE INDEX variazioni_istante ON variazioni (ente, servizio, istante);

-- ── The list ────────────────────────────────────────────────────────────────────────────────────────────────────

-- What an ente finds of its domande: one row a sheet. All that a search asks for stands in it, so that each search is a
-- walk along one index. The database keeps it; nobody writes it.
CREATE TABLE elenco (
    ente             TEXT    NOT NULL, -- who finds it
    servizio         TEXT    NOT NULL, -- service
    presentata_il    INTEGER NOT NULL, -- when that ente presented it: the order of the list
    numero_domanda   INTEGER NOT NULL, -- which domanda
    posto            INTEGER NOT NULL, -- which of its sheets
    registrazione    INTEGER NOT NULL REFERENCES registrazioni (id), -- by which registration that ente knows it
    codice_ufficio   TEXT    NOT NULL, -- the ufficio that presented it
    richiedente      TEXT,             -- codice fiscale of who asks; NULL where that ente is not to know
    codice_fiscale   TEXT    NOT NULL, -- the child
    stato            TEXT    NOT NULL, -- state of the sheet
    azione_richiesta TEXT    NOT NULL, -- what is asked of the sender
    PRIMARY KEY (numero_domanda, posto, ente)
) STRICT, WITHOUT ROWID;

-- Behind its columns each of them has those of the key.
CREATE INDEX elenco_data ON elenco (ente, servizio, presentata_il);
CREATE INDEX elenco_ufficio ON elenco (ente, servizio, codice_ufficio, presentata_il);
CREATE INDEX elenco_stato ON elenco (ente, servizio, stato, presentata_il);
CREATE INDEX elenco_azione ON elenco (ente, servizio, azione_richiesta, presentata_il) WHERE azione_richiesta <> 'NESSUNA';
CREATE INDEX elenco_richiedente ON elenco (ente, servizio, richiedente, presentata_il);
CREATE INDEX elenco_minore ON elenco (ente, servizio, codice_fiscale, presentata_il);

-- For whoever presented the domanda.
CREATE TRIGGER elenco_scheda AFTER INSERT ON schede
BEGIN
    INSERT INTO elenco (ente, servizio, presentata_il, numero_domanda, posto, registrazione, codice_ufficio, richiedente,
        codice_fiscale, stato, azione_richiesta)
    SELECT d.ente, NEW.servizio, r.presentata_il, NEW.numero_domanda, NEW.posto, d.registrazione, r.codice_ufficio,
           d.richiedente, NEW.codice_fiscale, NEW.stato, NEW.azione_richiesta
    FROM domande d
    JOIN registrazioni r ON r.id = d.registrazione
    WHERE d.numero = NEW.numero_domanda;
END;

CREATE TRIGGER elenco_cambia AFTER UPDATE OF codice_fiscale, stato, azione_richiesta ON schede
BEGIN
    UPDATE elenco
    SET codice_fiscale = NEW.codice_fiscale,
        stato = NEW.stato,
        azione_richiesta = NEW.azione_richiesta
    WHERE numero_domanda = NEW.numero_domanda AND posto = NEW.posto;
END;

INSERT INTO elenco (ente, servizio, presentata_il, numero_domanda, posto, registrazione, codice_ufficio, richiedente,
    codice_fiscale, stato, azione_richiesta)
SELECT d.ente, s.servizio, r.presentata_il, s.numero_domanda, s.posto, d.registrazione, r.codice_ufficio, d.richiedente,
       s.codice_fiscale, s.stato, s.azione_richiesta
FROM schede s
JOIN domande d ON d.numero = s.numero_domanda
JOIN registrazioni r ON r.id = d.registrazione;
