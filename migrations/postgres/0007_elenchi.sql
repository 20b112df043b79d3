-- What a patronato asks for a page at a time: the feed of its changes, and the list of its domande.

-- ── The feed ────────────────────────────────────────────────────────────────────────────────────────────────────

-- One ente's rows after a cursor; every partition has its own, and a year to come gets it when it is attached.
CREATE INDEX variazioni_ente ON variazioni (ente, servizio, cursore);
-- Where a date begins in them.
CREATE INDEX variazioni_istante ON variazioni (ente, servizio, istante);

-- ── The list ────────────────────────────────────────────────────────────────────────────────────────────────────

-- What an ente finds of its domande: one row a sheet. All that a search asks for stands in it, so that each search is a
-- walk along one index. The database keeps it; nobody writes it.
CREATE TABLE elenco (
    ente             text COLLATE "C" NOT NULL, -- who finds it
    servizio         text COLLATE "C" NOT NULL, -- service
    presentata_il    timestamptz      NOT NULL, -- when that ente presented it: the order of the list
    numero_domanda   bigint           NOT NULL, -- which domanda
    posto            integer          NOT NULL, -- which of its sheets
    registrazione    bigint           NOT NULL, -- by which registration that ente knows it
    anno             smallint         NOT NULL, -- and its year
    codice_ufficio   text COLLATE "C" NOT NULL, -- the ufficio that presented it
    richiedente      text COLLATE "C",          -- codice fiscale of who asks; NULL where that ente is not to know
    codice_fiscale   text COLLATE "C" NOT NULL, -- the child
    stato            text COLLATE "C" NOT NULL, -- state of the sheet
    azione_richiesta text COLLATE "C" NOT NULL, -- what is asked of the sender
    PRIMARY KEY (numero_domanda, posto, ente)
);

CREATE INDEX elenco_data ON elenco (ente, servizio, presentata_il, numero_domanda);
CREATE INDEX elenco_ufficio ON elenco (ente, servizio, codice_ufficio, presentata_il, numero_domanda);
CREATE INDEX elenco_stato ON elenco (ente, servizio, stato, presentata_il, numero_domanda);
CREATE INDEX elenco_azione ON elenco (ente, servizio, azione_richiesta, presentata_il, numero_domanda)
    WHERE azione_richiesta <> 'NESSUNA';
CREATE INDEX elenco_richiedente ON elenco (ente, servizio, richiedente, presentata_il, numero_domanda);
CREATE INDEX elenco_minore ON elenco (ente, servizio, codice_fiscale, presentata_il, numero_domanda);

-- For whoever presented the domanda; all sheets of a batch at once.
CREATE FUNCTION varco_elenca() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO elenco (ente, servizio, presentata_il, numero_domanda, posto, registrazione, anno, codice_ufficio,
        richiedente, codice_fiscale, stato, azione_richiesta)
    SELECT d.ente, n.servizio, r.presentata_il, n.numero_domanda, n.posto, d.registrazione, d.anno, r.codice_ufficio,
           d.richiedente, n.codice_fiscale, n.stato, n.azione_richiesta
    FROM nuove n
    JOIN domande d ON d.numero = n.numero_domanda
    JOIN registrazioni r ON r.id = d.registrazione AND r.anno = d.anno;
    RETURN NULL;
END
$$;

CREATE TRIGGER elenco_scheda AFTER INSERT ON schede REFERENCING NEW TABLE AS nuove
FOR EACH STATEMENT EXECUTE FUNCTION varco_elenca();

CREATE FUNCTION varco_elenco_cambia() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE elenco e
    SET codice_fiscale = n.codice_fiscale,
        stato = n.stato,
        azione_richiesta = n.azione_richiesta
    FROM nuove n
    WHERE e.numero_domanda = n.numero_domanda
      AND e.posto = n.posto
      AND (e.codice_fiscale, e.stato, e.azione_richiesta) <> (n.codice_fiscale, n.stato, n.azione_richiesta);
    RETURN NULL;
END
$$;

CREATE TRIGGER elenco_cambia AFTER UPDATE ON schede REFERENCING NEW TABLE AS nuove
FOR EACH STATEMENT EXECUTE FUNCTION varco_elenco_cambia();

INSERT INTO elenco (ente, servizio, presentata_il, numero_domanda, posto, registrazione, anno, codice_ufficio, richiedente,
    codice_fiscale, stato, azione_richiesta)
SELECT d.ente, s.servizio, r.presentata_il, s.numero_domanda, s.posto, d.registrazione, d.anno, r.codice_ufficio,
       d.richiedente, s.codice_fiscale, s.stato, s.azione_richiesta
FROM schede s
JOIN domande d ON d.numero = s.numero_domanda
JOIN registrazioni r ON r.id = d.registrazione AND r.anno = d.anno;

-- ── What each role may do, and no more ──────────────────────────────────────────────────────────────────────────

GRANT SELECT ON elenco TO varco_gateway;
