-- The second prestazione: what only one prestazione knows, the other parent's payment, and the adult child who asks
-- for itself in a parent's place.

ALTER TABLE domande ADD COLUMN dettagli TEXT CHECK (dettagli IS NULL OR json_valid(dettagli)); -- what only its prestazione knows: a JSON object; NULL = nothing

ALTER TABLE schede ADD COLUMN altro_genitore_modalita TEXT; -- how to pay the other parent's half, once it is known
ALTER TABLE schede ADD COLUMN altro_genitore_iban TEXT; -- where to
ALTER TABLE schede ADD COLUMN subentra INTEGER NOT NULL DEFAULT 0 CHECK (subentra IN (0, 1)); -- the child asks for itself: takes the place of the live sheet that somebody else asked for
ALTER TABLE schede ADD COLUMN dettagli TEXT CHECK (dettagli IS NULL OR json_valid(dettagli)); -- what only its prestazione knows: a JSON object; NULL = nothing

-- AU-5: the adult child's own sheet closes that of the parent, whoever sent it, before the unique index of live sheets
-- looks; the feed tells the parent's patronato. Row by row, so both may come in one batch.
CREATE TRIGGER schede_subentrano BEFORE INSERT ON schede
WHEN NEW.subentra = 1
BEGIN
    INSERT INTO variazioni (istante, tipo, ente, servizio, numero_domanda, posto, registrazione, stato, azione_richiesta)
    SELECT NEW.stato_dal, 'STATO', d.ente, s.servizio, s.numero_domanda, s.posto,
           (SELECT registrazione FROM domande WHERE numero = NEW.numero_domanda), 'SOSTITUITA', 'NESSUNA'
    FROM schede s
    JOIN domande d ON d.numero = s.numero_domanda
    WHERE s.servizio = NEW.servizio
      AND s.codice_fiscale = NEW.codice_fiscale
      AND s.subentra = 0
      AND s.stato IN ('PRESENTATA', 'IN_ISTRUTTORIA', 'IN_EVIDENZA_CITTADINO', 'IN_EVIDENZA_SEDE', 'SOSPESA', 'ACCOLTA');
    UPDATE schede
    SET stato = 'SOSTITUITA',
        stato_dal = NEW.stato_dal,
        azione_richiesta = 'NESSUNA'
    WHERE servizio = NEW.servizio
      AND codice_fiscale = NEW.codice_fiscale
      AND subentra = 0
      AND stato IN ('PRESENTATA', 'IN_ISTRUTTORIA', 'IN_EVIDENZA_CITTADINO', 'IN_EVIDENZA_SEDE', 'SOSPESA', 'ACCOLTA');
END;

-- The same views with the new columns at their end: columns are only ever added.

DROP VIEW motore_domande_v1;
CREATE VIEW motore_domande_v1 AS
SELECT
    r.protocollo,                          -- protocol number
    d.numero           AS numero_domanda,  -- numero domanda
    d.servizio,                            -- service
    r.registro,                            -- register
    r.anno,                                -- year of the number
    strftime('%Y-%m-%dT%H:%M:%S', r.presentata_il / 1000, 'unixepoch')
        || printf('.%03dZ', r.presentata_il % 1000) AS presentata_il, -- request wholly received
    strftime('%Y-%m-%dT%H:%M:%S', r.registrata_il / 1000, 'unixepoch')
        || printf('.%03dZ', r.registrata_il % 1000) AS registrata_il, -- registered
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
    lower(hex(r.impronta)) AS impronta,    -- SHA-256 of the Domanda as received
    EXISTS (SELECT 1 FROM annullamenti a WHERE a.registrazione = r.id AND a.campo IS NULL) AS annullata, -- whether it was annulled
    d.dettagli                             -- what only its prestazione knows: a JSON object
FROM domande d
JOIN registrazioni r ON r.id = d.registrazione AND r.numero_domanda = d.numero; -- either way round by a key

DROP VIEW motore_schede_v1;
CREATE VIEW motore_schede_v1 AS
SELECT
    r.protocollo,                          -- protocol number of the domanda
    s.numero_domanda,                      -- its numero domanda
    s.posto,                               -- place of the sheet, from 1
    s.servizio,                            -- service
    s.codice_fiscale,                      -- the child
    s.data_nascita,                        -- date of birth
    s.qualita,                             -- in which quality the richiedente asks
    s.disabile,                            -- 0, 1
    s.affido_condiviso,                    -- 0, 1
    s.altro_genitore,                      -- the other parent
    s.altro_genitore_assente,              -- why there is none
    s.ripartizione,                        -- how the sum is split
    s.stato,                               -- state
    strftime('%Y-%m-%dT%H:%M:%S', s.stato_dal / 1000, 'unixepoch')
        || printf('.%03dZ', s.stato_dal % 1000) AS stato_dal, -- since when
    s.azione_richiesta,                    -- what is asked of the sender
    s.decorrenza_presunta,                 -- expected first month: `2021-07`
    s.altro_genitore_modalita AS pagamento_altro_genitore_modalita, -- how to pay the other parent's half
    s.altro_genitore_iban AS pagamento_altro_genitore_iban, -- where to
    s.subentra,                            -- 0, 1: the child asks for itself, in the place of a parent's sheet
    s.dettagli                             -- what only its prestazione knows: a JSON object
FROM schede s
JOIN domande d ON d.numero = s.numero_domanda
JOIN registrazioni r ON r.id = d.registrazione AND r.numero_domanda = d.numero;
