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

-- ── The second parent ───────────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE schede ADD COLUMN altro_genitore_dal text; -- from which month split and payment of the other parent's half count, where their own act told them; NULL = since the decorrenza

-- The sheets that an ente sees without having presented the domanda: it sent the act of the second parent.
CREATE TABLE deleghe (
    ente           text COLLATE "C" NOT NULL, -- who sees it
    servizio       text COLLATE "C" NOT NULL, -- service
    numero_domanda bigint           NOT NULL REFERENCES domande (numero), -- of which domanda
    posto          integer          NOT NULL, -- which sheet
    registrazione  bigint           NOT NULL, -- the act that opened it
    anno           smallint         NOT NULL, -- and its year
    dal            timestamptz      NOT NULL, -- since when
    PRIMARY KEY (numero_domanda, posto, ente)
);

CREATE TRIGGER deleghe_non_si_modificano BEFORE UPDATE OR DELETE ON deleghe
FOR EACH ROW EXECUTE FUNCTION varco_vietato('deleghe: una delega resta');

CREATE TRIGGER deleghe_non_si_svuotano BEFORE TRUNCATE ON deleghe
FOR EACH STATEMENT EXECUTE FUNCTION varco_vietato('deleghe: una delega resta');

-- It finds the sheet in its list, as presented by its own act; who asked for the domanda it is not told.
CREATE FUNCTION varco_elenca_delega() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO elenco (ente, servizio, presentata_il, numero_domanda, posto, registrazione, anno, codice_ufficio,
        richiedente, codice_fiscale, stato, azione_richiesta)
    SELECT NEW.ente, NEW.servizio, r.presentata_il, NEW.numero_domanda, NEW.posto, NEW.registrazione, NEW.anno,
           r.codice_ufficio, NULL, s.codice_fiscale, s.stato, s.azione_richiesta
    FROM schede s
    JOIN registrazioni r ON r.id = NEW.registrazione AND r.anno = NEW.anno
    WHERE s.numero_domanda = NEW.numero_domanda AND s.posto = NEW.posto;
    RETURN NULL;
END
$$;

CREATE TRIGGER elenco_delega AFTER INSERT ON deleghe
FOR EACH ROW EXECUTE FUNCTION varco_elenca_delega();

-- What the feed tells of that sheet to whoever presented the domanda it tells it too, right behind, whoever wrote it: the
-- cursor is drawn where the first one was, under the same lock. A reason is for who presented; of payments it is told
-- those of its own half.
CREATE FUNCTION varco_variazioni_delegate() RETURNS trigger LANGUAGE plpgsql
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
        JOIN deleghe g ON g.numero_domanda = n.numero_domanda AND g.posto = n.posto
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

CREATE TRIGGER variazioni_delegate AFTER INSERT ON variazioni REFERENCING NEW TABLE AS nuove
FOR EACH STATEMENT EXECUTE FUNCTION varco_variazioni_delegate();

CREATE VIEW motore_seconde_meta_v1 AS
SELECT
    s.numero_domanda,                      -- of which domanda
    s.posto,                               -- of which sheet
    s.ripartizione,                        -- how the sum is split
    s.altro_genitore_modalita AS pagamento_modalita, -- how the other parent's half is paid
    s.altro_genitore_iban AS pagamento_iban, -- where to
    s.altro_genitore_dal AS dal            -- from which month: `2021-08`; NULL = since the decorrenza
FROM schede s;

-- ── What each role may do, and no more ──────────────────────────────────────────────────────────────────────────

GRANT SELECT ON elenco, deleghe, motore_seconde_meta_v1 TO varco_gateway;
GRANT INSERT ON deleghe TO varco_gateway;
GRANT UPDATE (ripartizione, altro_genitore_modalita, altro_genitore_iban, altro_genitore_dal) ON schede TO varco_gateway;
GRANT SELECT ON motore_seconde_meta_v1 TO varco_motore;
GRANT SELECT ON deleghe TO varco_audit;
