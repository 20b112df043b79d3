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

-- ── The second parent ───────────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE schede ADD COLUMN altro_genitore_dal TEXT; -- from which month split and payment of the other parent's half count, where their own act told them; NULL = since the decorrenza

-- The sheets that an ente sees without having presented the domanda: it sent the act of the second parent.
CREATE TABLE deleghe (
    ente           TEXT    NOT NULL, -- who sees it
    servizio       TEXT    NOT NULL, -- service
    numero_domanda INTEGER NOT NULL REFERENCES domande (numero), -- of which domanda
    posto          INTEGER NOT NULL, -- which sheet
    registrazione  INTEGER NOT NULL REFERENCES registrazioni (id), -- the act that opened it
    dal            INTEGER NOT NULL, -- since when
    PRIMARY KEY (numero_domanda, posto, ente)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER deleghe_non_si_modificano BEFORE UPDATE ON deleghe
BEGIN
    SELECT RAISE(ABORT, 'deleghe: una delega resta');
END;

CREATE TRIGGER deleghe_non_si_cancellano BEFORE DELETE ON deleghe
BEGIN
    SELECT RAISE(ABORT, 'deleghe: una delega resta');
END;

-- It finds the sheet in its list, as presented by its own act; who asked for the domanda it is not told.
CREATE TRIGGER elenco_delega AFTER INSERT ON deleghe
BEGIN
    INSERT INTO elenco (ente, servizio, presentata_il, numero_domanda, posto, registrazione, codice_ufficio, richiedente,
        codice_fiscale, stato, azione_richiesta)
    SELECT NEW.ente, NEW.servizio, r.presentata_il, NEW.numero_domanda, NEW.posto, NEW.registrazione, r.codice_ufficio, NULL,
           s.codice_fiscale, s.stato, s.azione_richiesta
    FROM schede s
    JOIN registrazioni r ON r.id = NEW.registrazione
    WHERE s.numero_domanda = NEW.numero_domanda AND s.posto = NEW.posto;
END;

-- What the feed tells of that sheet to whoever presented the domanda it tells it too, right behind, whoever wrote it: the
-- cursor is drawn where the first one was. A reason is for who presented; of payments it is told those of its own half.
CREATE TRIGGER variazioni_delegate AFTER INSERT ON variazioni
WHEN NEW.posto IS NOT NULL AND NEW.tipo IN ('STATO', 'RINNOVO', 'COMPLETAMENTO', 'PAGAMENTO')
BEGIN
    INSERT INTO variazioni (istante, tipo, ente, servizio, numero_domanda, posto, registrazione, stato, azione_richiesta,
        beneficiario, motivo)
    SELECT NEW.istante, NEW.tipo, g.ente, NEW.servizio, NEW.numero_domanda, NEW.posto,
           (SELECT r.id FROM registrazioni r WHERE r.id = NEW.registrazione AND r.ente = g.ente),
           NEW.stato, NEW.azione_richiesta, NEW.beneficiario,
           CASE WHEN NEW.tipo = 'PAGAMENTO' THEN NEW.motivo END
    FROM deleghe g
    JOIN domande d ON d.numero = g.numero_domanda AND d.ente = NEW.ente
    WHERE g.numero_domanda = NEW.numero_domanda
      AND g.posto = NEW.posto
      AND (NEW.tipo <> 'PAGAMENTO' OR NEW.beneficiario = 'ALTRO_GENITORE');
END;

CREATE VIEW motore_seconde_meta_v1 AS
SELECT
    s.numero_domanda,                      -- of which domanda
    s.posto,                               -- of which sheet
    s.ripartizione,                        -- how the sum is split
    s.altro_genitore_modalita AS pagamento_modalita, -- how the other parent's half is paid
    s.altro_genitore_iban AS pagamento_iban, -- where to
    s.altro_genitore_dal AS dal            -- from which month: `2021-08`; NULL = since the decorrenza
FROM schede s;
