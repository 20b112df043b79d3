-- The store of one ambiente, in one database (design.md §2.8-§2.10; fields by DPR 445/2000 art. 53 and the AgID
-- guidelines). The same tables as the embedded store's, with PostgreSQL's own types; what differs stands in
-- docs/adr/0007-postgresql-partizioni-e-chiavi.md:
--   * `chiavi` and `schede_vive` are claimed with ON CONFLICT DO NOTHING, one row a promise: a unique key of a
--     partitioned table could not hold over the years;
--   * what grows for ever is partitioned by year; `varco_prepara_anno` makes a year's partitions;
--   * what is heavy is keyed by the domanda, what is serial (the register) is narrow.
-- What the engine team may rely on are the views `motore_*_v1` at the end, not the tables.

-- ── Roles ───────────────────────────────────────────────────────────────────────────────────────────────────────
-- Without a password nobody logs in as one of them; their administrator gives one, or grants them to users.

DO $$
DECLARE
    ruolo text;
BEGIN
    FOREACH ruolo IN ARRAY ARRAY['varco_gateway', 'varco_motore', 'varco_audit'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = ruolo) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I LOGIN', ruolo);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- made at the same moment, for another database
            END;
        END IF;
    END LOOP;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO varco_gateway, varco_motore, varco_audit', current_database());
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO varco_gateway, varco_motore, varco_audit;

-- ── What is refused, in one function ────────────────────────────────────────────────────────────────────────────

-- Refuses what its trigger is for, with the trigger's own words.
CREATE FUNCTION varco_vietato() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END
$$;

-- ── What this store is ──────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE impostazioni (
    nome   text COLLATE "C" NOT NULL PRIMARY KEY, -- `applicazione`, `ambiente`, `creato_il`, `orologio_inizio`, `offset_orologio_ms`
    valore text             NOT NULL              -- its value, as text
);

INSERT INTO impostazioni (nome, valore) VALUES ('applicazione', 'varco');

CREATE TRIGGER impostazioni_restano BEFORE UPDATE OR DELETE ON impostazioni
FOR EACH ROW WHEN (OLD.nome IN ('applicazione', 'ambiente', 'creato_il'))
EXECUTE FUNCTION varco_vietato('impostazioni: un archivio non cambia ambiente');

-- ── The register ────────────────────────────────────────────────────────────────────────────────────────────────

-- One row a register. The number is drawn from it in the transaction that writes the registration.
CREATE TABLE registro (
    registro       text COLLATE "C" NOT NULL PRIMARY KEY,                       -- `AUF`
    anno           smallint         NOT NULL CHECK (anno BETWEEN 1000 AND 9999), -- year of `ultimo`, in Europe/Rome
    ultimo         bigint           NOT NULL CHECK (ultimo BETWEEN 0 AND 999999999999), -- last number drawn in `anno`
    ultimo_istante timestamptz      NOT NULL,                                   -- instant of the last registration; no later one is before it
    chiuso_fino_a  timestamptz      NOT NULL DEFAULT 'epoch'                    -- days before this instant are closed: nothing is registered there any more
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

CREATE TRIGGER registro_non_torna_indietro BEFORE UPDATE ON registro
FOR EACH ROW WHEN (
       NEW.registro <> OLD.registro
    OR NEW.anno < OLD.anno
    OR (NEW.anno = OLD.anno AND NEW.ultimo < OLD.ultimo)
    OR NEW.ultimo_istante < OLD.ultimo_istante
    OR NEW.chiuso_fino_a < OLD.chiuso_fino_a)
EXECUTE FUNCTION varco_vietato('registro: il contatore non torna indietro');

CREATE TRIGGER registro_non_si_cancella BEFORE DELETE ON registro
FOR EACH ROW EXECUTE FUNCTION varco_vietato('registro: il contatore non si cancella');

CREATE TRIGGER registro_non_si_svuota BEFORE TRUNCATE ON registro
FOR EACH STATEMENT EXECUTE FUNCTION varco_vietato('registro: il contatore non si cancella');

-- Counters that are no protocol register, drawn after it and under it. `domanda`: the numero domanda, gapless over all
-- services of the store. `variazione`: the feed's cursor; drawn under a lock, so that cursors are seen in their order.
CREATE TABLE contatori (
    nome   text COLLATE "C" NOT NULL PRIMARY KEY,       -- `domanda`, `variazione`
    ultimo bigint           NOT NULL CHECK (ultimo >= 0) -- last number drawn
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

INSERT INTO contatori (nome, ultimo) VALUES ('domanda', 0), ('variazione', 0);

CREATE TRIGGER contatori_non_tornano_indietro BEFORE UPDATE ON contatori
FOR EACH ROW WHEN (NEW.nome <> OLD.nome OR NEW.ultimo < OLD.ultimo)
EXECUTE FUNCTION varco_vietato('contatori: un contatore non torna indietro');

CREATE TRIGGER contatori_non_si_cancellano BEFORE DELETE ON contatori
FOR EACH ROW EXECUTE FUNCTION varco_vietato('contatori: un contatore non si cancella');

-- One row a ChiaveInvio that was ever registered: the claim, and the way to its registration.
CREATE TABLE chiavi (
    ente         text COLLATE "C" NOT NULL, -- whose
    servizio     text COLLATE "C" NOT NULL, -- of which service
    chiave_invio text COLLATE "C" NOT NULL, -- the key, compared byte by byte
    id           bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL, -- of the registration
    PRIMARY KEY (chiave_invio, ente, servizio) -- in this order a key is found without its ente, too
);

CREATE TRIGGER chiavi_non_si_modificano BEFORE UPDATE OR DELETE ON chiavi
FOR EACH ROW EXECUTE FUNCTION varco_vietato('chiavi: una ChiaveInvio registrata resta');

CREATE TRIGGER chiavi_non_si_svuotano BEFORE TRUNCATE ON chiavi
FOR EACH STATEMENT EXECUTE FUNCTION varco_vietato('chiavi: una ChiaveInvio registrata resta');

-- Registrations: append-only, without payload. Classification and assignment, which alone may change, are apart.
CREATE TABLE registrazioni (
    id                 bigint           NOT NULL, -- that of its key; internal, of no order
    registro           text COLLATE "C" NOT NULL, -- register: `AUF`
    anno               smallint         NOT NULL, -- year of registration in Europe/Rome
    numero             bigint           NOT NULL CHECK (numero BETWEEN 1 AND 999999999999), -- number in the year, from 1 without gap
    protocollo         text COLLATE "C" NOT NULL, -- the same as text: `INPS-AUF-2021-000000010797`
    registrata_il      timestamptz      NOT NULL, -- instant of registration (art. 53 b); never before the previous one
    presentata_il      timestamptz      NOT NULL, -- request wholly received: governs windows, rules, decorrenza
    oggetto            text             NOT NULL, -- subject (art. 53 d): no health data, no codice fiscale
    servizio           text COLLATE "C" NOT NULL, -- service: `AssegnoTemporaneo`
    operazione         text             NOT NULL, -- which act: `InviaDomanda`
    ente               text COLLATE "C" NOT NULL, -- sender (art. 53 c): code of the patronato
    ente_denominazione text             NOT NULL, -- its name on that day
    codice_ufficio     text             NOT NULL, -- its ufficio, from Identity
    user_id            text             NOT NULL, -- its operator, from Identity
    richiedente        text COLLATE "C" NOT NULL, -- codice fiscale of who asks
    destinatario       text             NOT NULL DEFAULT 'INPS', -- addressee
    chiave_invio       text COLLATE "C" NOT NULL, -- the sender's own protocol (art. 53 e) and key of its message
    data_pratica       date,                      -- date of the sender's own protocol
    numero_domanda     bigint           NOT NULL, -- numero domanda it opens or is about
    collegato_a        bigint,                    -- the registration that it follows
    digest             bytea            NOT NULL CHECK (length(digest) = 32), -- digest of the content
    digest_versione    smallint         NOT NULL, -- which digest
    impronta           bytea            NOT NULL CHECK (length(impronta) = 32), -- SHA-256 of the element as received (art. 53 f)
    impronta_algoritmo text             NOT NULL DEFAULT 'SHA-256', -- its algorithm
    canale             text             NOT NULL, -- `MODI`, `PDD`, `LOTTO`
    message_id         uuid             NOT NULL, -- our message id; unique by its trace
    certificato_sha256 text             NOT NULL, -- SHA-256 of the client certificate, hex
    PRIMARY KEY (id, anno),
    UNIQUE (registro, anno, numero),
    CHECK (protocollo = 'INPS-' || registro || '-' || anno || '-' || lpad(numero::text, 12, '0'))
) PARTITION BY LIST (anno);

CREATE INDEX registrazioni_impronta ON registrazioni (impronta);

CREATE TRIGGER registrazioni_non_si_modificano BEFORE UPDATE ON registrazioni
FOR EACH ROW EXECUTE FUNCTION varco_vietato('registrazioni: una registrazione non si modifica (DPR 445/2000 art. 53); si annulla in annullamenti');

CREATE TRIGGER registrazioni_non_si_cancellano BEFORE DELETE ON registrazioni
FOR EACH ROW EXECUTE FUNCTION varco_vietato('registrazioni: una registrazione non si cancella (DPR 445/2000 art. 53); si annulla in annullamenti');

CREATE TRIGGER registrazioni_non_si_svuotano BEFORE TRUNCATE ON registrazioni
FOR EACH STATEMENT EXECUTE FUNCTION varco_vietato('registrazioni: una registrazione non si cancella (DPR 445/2000 art. 53); si annulla in annullamenti');

-- Annulments (art. 54): a new fact beside the registration, which stays readable.
CREATE TABLE annullamenti (
    id                   bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    registrazione        bigint      NOT NULL, -- what is annulled
    campo                text,                 -- the one field that is annulled; NULL = the whole registration
    annullata_il         timestamptz NOT NULL, -- when
    operatore            text        NOT NULL, -- by whom
    motivo               text        NOT NULL, -- why
    provvedimento_numero text        NOT NULL, -- number of the authorising provision
    provvedimento_data   date        NOT NULL  -- its date
);

CREATE INDEX annullamenti_registrazione ON annullamenti (registrazione);

CREATE TRIGGER annullamenti_non_si_modificano BEFORE UPDATE ON annullamenti
FOR EACH ROW EXECUTE FUNCTION varco_vietato('annullamenti: un annullamento non si modifica (DPR 445/2000 art. 54)');

CREATE TRIGGER annullamenti_non_si_cancellano BEFORE DELETE ON annullamenti
FOR EACH ROW EXECUTE FUNCTION varco_vietato('annullamenti: un annullamento non si cancella (DPR 445/2000 art. 54)');

CREATE TRIGGER annullamenti_non_si_svuotano BEFORE TRUNCATE ON annullamenti
FOR EACH STATEMENT EXECUTE FUNCTION varco_vietato('annullamenti: un annullamento non si cancella (DPR 445/2000 art. 54)');

-- Classification and internal assignment: the only data of a registration that may change. One row a change; the
-- newest counts, the older ones are the history.
CREATE TABLE assegnazioni (
    id            bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    registrazione bigint      NOT NULL, -- of which registration
    dal           timestamptz NOT NULL, -- since when
    operatore     text        NOT NULL, -- set by whom
    classifica    text,                 -- entry of the classification scheme
    assegnazione  text                  -- the office that works it
);

CREATE INDEX assegnazioni_registrazione ON assegnazioni (registrazione);

-- ── The domande ─────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE domande (
    numero                bigint           NOT NULL PRIMARY KEY CHECK (numero >= 1), -- numero domanda: stays for life
    registrazione         bigint           NOT NULL, -- the registration that opened it
    anno                  smallint         NOT NULL, -- and its year
    servizio              text COLLATE "C" NOT NULL, -- service
    ente                  text COLLATE "C" NOT NULL, -- the patronato that sent it
    richiedente           text COLLATE "C" NOT NULL, -- codice fiscale of who asks
    richiedente_nome      text             NOT NULL, -- given name, as sent
    richiedente_cognome   text             NOT NULL, -- family name, as sent
    richiedente_email     text,                      -- for notices
    richiedente_cellulare text,                      -- for notices
    richiedente_indirizzo text,                      -- for notices
    presentata_da         text             NOT NULL, -- `GENITORE`, `TUTORE_DEL_GENITORE`
    genitore_tutelato     text,                      -- codice fiscale of the parent under tutelage
    mandato_numero        text             NOT NULL, -- mandate of assistance
    mandato_data          date             NOT NULL, -- its date
    modalita              text             NOT NULL, -- how to pay: `CC`, `BD`, `LP`, `ES`, `CP`
    iban                  text,                      -- where the modality has one
    intestato_richiedente boolean,                   -- whether the account is the richiedente's
    dichiarazioni         jsonb            NOT NULL  -- declarations made: an array of [code, version of its text on the day, sub-choice or null]
);

-- Which states are live: a child has one sheet in them.
CREATE FUNCTION varco_stato_vivo(stato text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT stato IN ('PRESENTATA', 'IN_ISTRUTTORIA', 'IN_EVIDENZA_CITTADINO', 'IN_EVIDENZA_SEDE', 'SOSPESA', 'ACCOLTA')
$$;

-- One row a child: state and decorrenza are per sheet.
CREATE TABLE schede (
    numero_domanda         bigint           NOT NULL REFERENCES domande (numero), -- of which domanda
    posto                  integer          NOT NULL CHECK (posto >= 1), -- place in it, from 1
    registrazione          bigint           NOT NULL, -- the registration that brought it
    servizio               text COLLATE "C" NOT NULL, -- service
    codice_fiscale         text COLLATE "C" NOT NULL, -- the child
    data_nascita           date,                      -- date of birth
    qualita                text             NOT NULL, -- in which quality the richiedente asks
    disabile               boolean          NOT NULL, -- whether the child is disabled
    affido_condiviso       boolean          NOT NULL, -- shared custody by a court
    altro_genitore         text,                      -- codice fiscale of the other parent
    altro_genitore_assente text,                      -- why there is none
    ripartizione           text             NOT NULL, -- how the sum is split
    decorrenza_presunta    text,                      -- expected first month: `2021-07`
    stato                  text             NOT NULL CHECK (stato IN (
        'PRESENTATA', 'IN_ISTRUTTORIA', 'IN_EVIDENZA_CITTADINO', 'IN_EVIDENZA_SEDE', 'SOSPESA', 'ACCOLTA',
        'RESPINTA', 'DECADUTA', 'REVOCATA', 'RINUNCIATA', 'SOSTITUITA', 'ANNULLATA')), -- state of the sheet
    stato_dal              timestamptz      NOT NULL, -- since when
    azione_richiesta       text             NOT NULL CHECK (azione_richiesta IN (
        'NESSUNA', 'ALLEGARE_DOCUMENTI', 'AGGIORNARE_DATI_FIGLIO', 'AGGIORNARE_IBAN', 'INTEGRARE_ALTRO_GENITORE')), -- what is asked of the sender
    PRIMARY KEY (numero_domanda, posto)
);

-- AT-6: one live sheet a child, claimed before its domanda has a number.
CREATE TABLE schede_vive (
    servizio       text COLLATE "C" NOT NULL, -- service
    codice_fiscale text COLLATE "C" NOT NULL, -- the child
    registrazione  bigint           NOT NULL, -- the registration that brought the sheet
    PRIMARY KEY (servizio, codice_fiscale)
);

-- The claim follows the sheet's state, whoever moves it: a sheet that is no longer live leaves its child free, one that
-- is opened again takes it, or fails when another has it.
CREATE FUNCTION varco_scheda_viva() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF varco_stato_vivo(OLD.stato) THEN
        DELETE FROM schede_vive v
        WHERE v.servizio = OLD.servizio AND v.codice_fiscale = OLD.codice_fiscale;
    ELSE
        INSERT INTO schede_vive (servizio, codice_fiscale, registrazione)
        VALUES (NEW.servizio, NEW.codice_fiscale, NEW.registrazione);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER schede_stato_vivo AFTER UPDATE OF stato ON schede
FOR EACH ROW WHEN (varco_stato_vivo(OLD.stato) <> varco_stato_vivo(NEW.stato))
EXECUTE FUNCTION varco_scheda_viva();

-- ── What is heavy: receipts, requests, documents ────────────────────────────────────────────────────────────────

-- Receipts, byte for byte as they were told.
CREATE TABLE ricevute (
    numero_domanda bigint   NOT NULL, -- of which domanda
    registrazione  bigint   NOT NULL, -- of which registration
    anno           smallint NOT NULL, -- of which year
    formato        text     NOT NULL, -- `XML`
    bytes_len      bigint   NOT NULL, -- length before compression
    codec          text     NOT NULL, -- `IDENTITY`, `ZSTD`
    chiave_id      text,              -- the key that encrypts them; NULL = in clear
    bytes          bytea    NOT NULL, -- the receipt
    PRIMARY KEY (numero_domanda, registrazione, anno)
) PARTITION BY LIST (anno);

ALTER TABLE ricevute ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TRIGGER ricevute_non_si_modificano BEFORE UPDATE ON ricevute
FOR EACH ROW EXECUTE FUNCTION varco_vietato('ricevute: una ricevuta non si modifica');

CREATE TRIGGER ricevute_non_si_cancellano BEFORE DELETE ON ricevute
FOR EACH ROW EXECUTE FUNCTION varco_vietato('ricevute: una ricevuta non si cancella');

CREATE TRIGGER ricevute_non_si_svuotano BEFORE TRUNCATE ON ricevute
FOR EACH STATEMENT EXECUTE FUNCTION varco_vietato('ricevute: una ricevuta non si cancella');

-- Requests as received, once each. Personal data: purged when their time is over; the registration stays.
CREATE TABLE payload (
    numero_domanda bigint   NOT NULL, -- of which domanda
    registrazione  bigint   NOT NULL, -- of which registration
    anno           smallint NOT NULL, -- of which year
    bytes_len      bigint   NOT NULL, -- length before compression
    domanda_da     bigint   NOT NULL, -- where the Domanda begins, before compression
    domanda_a      bigint   NOT NULL, -- where it ends (the byte after its last): `impronta` is of these bytes
    codec          text     NOT NULL, -- `IDENTITY`, `ZSTD`
    chiave_id      text,              -- the key that encrypts them; NULL = in clear
    bytes          bytea    NOT NULL, -- the whole request
    PRIMARY KEY (numero_domanda, registrazione, anno),
    CHECK (0 <= domanda_da AND domanda_da <= domanda_a AND domanda_a <= bytes_len)
) PARTITION BY LIST (anno);

ALTER TABLE payload ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- Documents that came with a registration; their bytes lie in the payload.
CREATE TABLE allegati (
    numero_domanda bigint  NOT NULL REFERENCES domande (numero), -- of which domanda
    registrazione  bigint  NOT NULL, -- with which registration
    posto          integer NOT NULL CHECK (posto >= 1), -- place in it, from 1
    tipo           text    NOT NULL, -- word of the codelist
    nome_file      text    NOT NULL, -- file name, as sent
    tipo_mime      text    NOT NULL, -- word of the codelist
    impronta       bytea   NOT NULL CHECK (length(impronta) = 32), -- SHA-256 of the decoded bytes
    bytes_len      bigint  NOT NULL, -- length of the decoded bytes
    PRIMARY KEY (numero_domanda, registrazione, posto)
);

-- The feed of changes. A reader keeps the last `cursore` it has seen and asks for what comes after.
CREATE TABLE variazioni (
    cursore          bigint           NOT NULL, -- grows with every row, never reused; a row is seen only after those before it
    istante          timestamptz      NOT NULL, -- when
    tipo             text             NOT NULL, -- `REGISTRATA`
    ente             text COLLATE "C" NOT NULL, -- whose domanda
    servizio         text COLLATE "C" NOT NULL, -- service
    numero_domanda   bigint           NOT NULL, -- which domanda
    posto            integer,                   -- which sheet; NULL = the domanda as a whole
    registrazione    bigint,                    -- the registration that is the cause, if one is
    presentata_il    timestamptz,               -- its presentation
    registrata_il    timestamptz,               -- its registration
    stato            text,                      -- the new state
    azione_richiesta text,                      -- the new action
    PRIMARY KEY (cursore, istante)
) PARTITION BY RANGE (istante);

-- ── The trace ───────────────────────────────────────────────────────────────────────────────────────────────────

-- One row a message. Bytes that a registration holds are not repeated here.
CREATE TABLE tracce (
    message_id           uuid             NOT NULL, -- the id that we gave it
    ricevuto_il          timestamptz      NOT NULL, -- first byte seen, true clock
    canale               text             NOT NULL, -- `MODI`, `PDD`, `LOTTO`
    indirizzo            text,                      -- where from
    certificato_soggetto text             NOT NULL, -- subject of the client certificate
    certificato_seriale  text             NOT NULL, -- its serial number
    tls                  text             NOT NULL, -- version and suite
    ente                 text COLLATE "C",          -- the ente, once known
    user_id              text,                      -- from Identity
    codice_ufficio       text,                      -- from Identity
    identity_forma       text,                      -- which form Identity had
    uri                  text             NOT NULL, -- HTTP method and path, without query
    servizio             text,                      -- service
    operazione           text,                      -- operation
    id_mittente          text COLLATE "C",          -- the sender's own message id
    id_transazione       text COLLATE "C",          -- the sender's transaction id
    chiave_invio         text COLLATE "C",          -- the sender's key
    digest               text,                      -- digest of the content, hex
    impronta             text,                      -- SHA-256 of the element as received, hex
    richiesta_len        bigint           NOT NULL, -- size of the request
    risposta_len         bigint           NOT NULL, -- size of the answer (of the receipt, where only that was known)
    http_status          integer          NOT NULL, -- status of the answer
    esito                text COLLATE "C" NOT NULL, -- `REGISTRATA`, `RIPETUTA`, `RIFIUTATA`, `AMMISSIBILE`, `RISPOSTA`, `FAULT`, `INTERROTTA`
    codice               text COLLATE "C",          -- the first error code
    codici               jsonb,                     -- every error code; NULL = none
    protocollo           text COLLATE "C",          -- the number, if there is one
    numero_domanda       bigint,                    -- the domanda, if there is one
    tempi_us             jsonb            NOT NULL, -- step and microseconds, an array of pairs
    note                 jsonb,                     -- notes; NULL = none
    chiave_id            text,                      -- the key that encrypts the bytes below; NULL = in clear
    richiesta_codec      text,                      -- `IDENTITY`, `ZSTD`
    richiesta_bytes_len  bigint,                    -- length before compression
    richiesta            bytea,                     -- the request as received; NULL when a registration holds it
    risposta_codec       text,                      -- `IDENTITY`, `ZSTD`
    risposta_bytes_len   bigint,                    -- length before compression
    risposta             bytea,                     -- the answer as sent; NULL when a registration holds its receipt
    PRIMARY KEY (message_id, ricevuto_il)
) PARTITION BY RANGE (ricevuto_il);

ALTER TABLE tracce ALTER COLUMN richiesta SET STORAGE EXTERNAL;
ALTER TABLE tracce ALTER COLUMN risposta SET STORAGE EXTERNAL;

CREATE INDEX tracce_ricevuto ON tracce (ricevuto_il);
CREATE INDEX tracce_ente ON tracce (ente, ricevuto_il) WHERE ente IS NOT NULL;
-- The trace of a registered message is found through its registration, which has indexes for number and key.
CREATE INDEX tracce_protocollo ON tracce (protocollo) WHERE protocollo IS NOT NULL AND esito <> 'REGISTRATA';
CREATE INDEX tracce_chiave ON tracce (chiave_invio) WHERE chiave_invio IS NOT NULL AND esito <> 'REGISTRATA';
CREATE INDEX tracce_mittente ON tracce (id_mittente) WHERE id_mittente IS NOT NULL;
CREATE INDEX tracce_transazione ON tracce (id_transazione) WHERE id_transazione IS NOT NULL;
CREATE INDEX tracce_codice ON tracce (codice, ricevuto_il) WHERE codice IS NOT NULL;
CREATE INDEX tracce_esito ON tracce (esito, ricevuto_il) WHERE esito <> 'REGISTRATA';

-- Refusals at the door, before there was a message.
CREATE TABLE porta (
    id        bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL,
    istante   timestamptz NOT NULL, -- when, true clock
    indirizzo text,                 -- from where
    soggetto  text,                 -- subject of the certificate, when one was shown
    seriale   text,                 -- its serial number
    sni       text,                 -- the name asked for
    codice    text        NOT NULL, -- code of the catalogue
    causa     text        NOT NULL, -- the cause, one sentence
    rimedio   text        NOT NULL, -- what to do about it
    PRIMARY KEY (istante, id)
) PARTITION BY RANGE (istante);

-- ── Years ───────────────────────────────────────────────────────────────────────────────────────────────────────

-- Makes the partitions of a year, where they are not there yet. The gateway calls it for the years that
-- it writes into, and in December for the next; it is the only DDL that its role can cause.
CREATE FUNCTION varco_prepara_anno(anno integer) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    tabella   text;
    partizione text;
    valori    text;
BEGIN
    IF anno NOT BETWEEN 1970 AND 9998 THEN
        RAISE EXCEPTION 'varco_prepara_anno: anno % fuori dai limiti', anno USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('varco_prepara_anno'));
    FOREACH tabella IN ARRAY ARRAY['registrazioni', 'ricevute', 'payload', 'variazioni', 'tracce', 'porta'] LOOP
        partizione := format('%s_%s', tabella, anno);
        CONTINUE WHEN to_regclass(format('public.%I', partizione)) IS NOT NULL;
        valori := CASE
            WHEN tabella IN ('registrazioni', 'ricevute', 'payload') THEN format('IN (%s)', anno)
            ELSE format('FROM (%L) TO (%L)', format('%s-01-01T00:00:00Z', anno), format('%s-01-01T00:00:00Z', anno + 1))
        END;
        -- Made apart and attached: readers and writers of the other years go on meanwhile.
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', partizione, tabella);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES %s', tabella, partizione, valori);
        IF tabella IN ('registrazioni', 'ricevute') THEN
            EXECUTE format(
                'CREATE TRIGGER non_si_svuota BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION varco_vietato(%L)',
                partizione, format('%s: non si cancella (DPR 445/2000 art. 53)', tabella));
        END IF;
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION varco_prepara_anno(integer) FROM PUBLIC;

-- ── What the engine reads: version 1 ────────────────────────────────────────────────────────────────────────────
-- Columns are only ever added; another meaning gets another version.

CREATE VIEW motore_domande_v1 AS
SELECT
    r.protocollo,                          -- protocol number
    d.numero           AS numero_domanda,  -- numero domanda
    d.servizio,                            -- service
    r.registro,                            -- register
    r.anno,                                -- year of the number
    r.presentata_il,                       -- request wholly received
    r.registrata_il,                       -- registered
    r.ente,                                -- patronato
    r.ente_denominazione,                  -- its name
    r.codice_ufficio   AS ufficio,         -- its ufficio
    r.user_id          AS operatore,       -- its operator
    r.chiave_invio,                        -- its own key
    d.mandato_numero,                      -- mandate
    d.mandato_data,                        -- date of the mandate
    r.data_pratica,                        -- date of its file
    r.canale,                              -- channel
    d.richiedente      AS richiedente_codice_fiscale, -- who asks
    d.richiedente_nome,                    -- given name
    d.richiedente_cognome,                 -- family name
    d.richiedente_email,                   -- for notices
    d.richiedente_cellulare,               -- for notices
    d.richiedente_indirizzo,               -- for notices
    d.presentata_da,                       -- in which quality
    d.genitore_tutelato,                   -- the parent under tutelage
    d.modalita         AS pagamento_modalita, -- how to pay
    d.iban             AS pagamento_iban,  -- where to
    d.intestato_richiedente AS pagamento_intestato_richiedente, -- whether the account is the richiedente's
    (SELECT count(*) FROM schede s WHERE s.numero_domanda = d.numero) AS numero_schede, -- how many sheets
    r.oggetto,                             -- subject
    encode(r.impronta, 'hex') AS impronta, -- SHA-256 of the Domanda as received
    EXISTS (SELECT 1 FROM annullamenti a WHERE a.registrazione = r.id AND a.campo IS NULL) AS annullata -- whether it was annulled
FROM domande d
JOIN registrazioni r ON r.id = d.registrazione AND r.anno = d.anno;

CREATE VIEW motore_schede_v1 AS
SELECT
    r.protocollo,                          -- protocol number of the domanda
    s.numero_domanda,                      -- its numero domanda
    s.posto,                               -- place of the sheet, from 1
    s.servizio,                            -- service
    s.codice_fiscale,                      -- the child
    s.data_nascita,                        -- date of birth
    s.qualita,                             -- in which quality the richiedente asks
    s.disabile,                            -- whether the child is disabled
    s.affido_condiviso,                    -- shared custody by a court
    s.altro_genitore,                      -- the other parent
    s.altro_genitore_assente,              -- why there is none
    s.ripartizione,                        -- how the sum is split
    s.stato,                               -- state
    s.stato_dal,                           -- since when
    s.azione_richiesta,                    -- what is asked of the sender
    s.decorrenza_presunta                  -- expected first month: `2021-07`
FROM schede s
JOIN domande d ON d.numero = s.numero_domanda
JOIN registrazioni r ON r.id = d.registrazione AND r.anno = d.anno;

CREATE VIEW motore_dichiarazioni_v1 AS
SELECT
    d.numero           AS numero_domanda,  -- numero domanda
    j.valore ->> 0     AS codice,          -- `D1`…
    j.valore ->> 1     AS versione_testo,  -- version of the text
    j.valore ->> 2     AS scelta           -- sub-choice
FROM domande d
CROSS JOIN jsonb_array_elements(d.dichiarazioni) AS j (valore);

CREATE VIEW motore_allegati_v1 AS
SELECT
    a.numero_domanda,                      -- numero domanda
    r.protocollo,                          -- the registration it came with
    a.posto,                               -- place in it, from 1
    a.tipo,                                -- word of the codelist
    a.nome_file,                           -- file name
    a.tipo_mime,                           -- word of the codelist
    encode(a.impronta, 'hex') AS impronta, -- SHA-256
    a.bytes_len                            -- length
FROM allegati a
JOIN registrazioni r ON r.id = a.registrazione;

-- ── What each role may do, and no more ──────────────────────────────────────────────────────────────────────────

-- The gateway writes new rows and draws numbers. It changes nothing that was registered, and deletes nothing at all.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO varco_gateway;
GRANT INSERT ON registro, chiavi, registrazioni, ricevute, payload, domande, schede, schede_vive, allegati, variazioni,
    tracce, porta TO varco_gateway;
GRANT UPDATE (anno, ultimo, ultimo_istante) ON registro TO varco_gateway;
GRANT UPDATE (ultimo) ON contatori TO varco_gateway;
GRANT UPDATE ON tracce TO varco_gateway;
GRANT INSERT, UPDATE ON impostazioni TO varco_gateway;
GRANT EXECUTE ON FUNCTION varco_prepara_anno(integer) TO varco_gateway;

-- The engine reads its views.
GRANT SELECT ON motore_domande_v1, motore_schede_v1, motore_dichiarazioni_v1, motore_allegati_v1 TO varco_motore;

-- The auditor reads the register and who did what, and no request.
GRANT SELECT ON impostazioni, registro, contatori, chiavi, registrazioni, annullamenti, assegnazioni, ricevute, porta
    TO varco_audit;
GRANT SELECT (message_id, ricevuto_il, canale, indirizzo, certificato_soggetto, certificato_seriale, tls, ente, user_id,
    codice_ufficio, identity_forma, uri, servizio, operazione, id_mittente, id_transazione, chiave_invio, digest, impronta,
    richiesta_len, risposta_len, http_status, esito, codice, codici, protocollo, numero_domanda, tempi_us, note)
    ON tracce TO varco_audit;
