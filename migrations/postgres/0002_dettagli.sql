-- The second prestazione: what only one prestazione knows, the other parent's payment, and the adult child who asks
-- for itself in a parent's place.

ALTER TABLE domande
    ADD COLUMN dettagli jsonb; -- what only its prestazione knows: an object; NULL = nothing

ALTER TABLE schede
    ADD COLUMN altro_genitore_modalita text, -- how to pay the other parent's half, once it is known
    ADD COLUMN altro_genitore_iban     text, -- where to
    ADD COLUMN subentra boolean NOT NULL DEFAULT false, -- the child asks for itself: takes the place of the live sheet that somebody else asked for
    ADD COLUMN dettagli jsonb; -- what only its prestazione knows: an object; NULL = nothing

-- AU-5: the adult child's own sheet closes that of the parent, whoever sent it, and takes over the claim; the feed tells
-- the parent's patronato. Called in the registration's transaction, after the new sheet was written, under the lock of
-- the counters. Does nothing where the child was free.
CREATE FUNCTION varco_subentra(nuova_domanda bigint, nuovo_posto integer) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    nuova   schede%ROWTYPE;
    vecchia record;
    cursore_nuovo bigint;
BEGIN
    SELECT * INTO STRICT nuova FROM schede s
    WHERE s.numero_domanda = nuova_domanda AND s.posto = nuovo_posto AND s.subentra;
    SELECT s.numero_domanda, s.posto, d.ente INTO vecchia
    FROM schede_vive v
    JOIN registrazioni r ON r.id = v.registrazione
    JOIN schede s ON s.numero_domanda = r.numero_domanda AND s.codice_fiscale = v.codice_fiscale
    JOIN domande d ON d.numero = s.numero_domanda
    WHERE v.servizio = nuova.servizio AND v.codice_fiscale = nuova.codice_fiscale
        AND NOT s.subentra AND varco_stato_vivo(s.stato)
    FOR UPDATE OF s;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE schede s
    SET stato = 'SOSTITUITA', stato_dal = nuova.stato_dal, azione_richiesta = 'NESSUNA'
    WHERE s.numero_domanda = vecchia.numero_domanda AND s.posto = vecchia.posto;
    INSERT INTO schede_vive (servizio, codice_fiscale, registrazione)
    VALUES (nuova.servizio, nuova.codice_fiscale, nuova.registrazione);
    UPDATE contatori SET ultimo = ultimo + 1 WHERE nome = 'variazione' RETURNING ultimo INTO cursore_nuovo;
    INSERT INTO variazioni (cursore, istante, tipo, ente, servizio, numero_domanda, posto, registrazione, stato, azione_richiesta)
    VALUES (cursore_nuovo, nuova.stato_dal, 'STATO', vecchia.ente, nuova.servizio, vecchia.numero_domanda, vecchia.posto,
            nuova.registrazione, 'SOSTITUITA', 'NESSUNA');
END
$$;

REVOKE ALL ON FUNCTION varco_subentra(bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION varco_subentra(bigint, integer) TO varco_gateway;

-- The same views with the new columns at their end: columns are only ever added.

CREATE OR REPLACE VIEW motore_domande_v1 AS
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
    EXISTS (SELECT 1 FROM annullamenti a WHERE a.registrazione = r.id AND a.campo IS NULL) AS annullata, -- whether it was annulled
    d.dettagli                             -- what only its prestazione knows: an object
FROM domande d
JOIN registrazioni r ON r.id = d.registrazione AND r.anno = d.anno;

CREATE OR REPLACE VIEW motore_schede_v1 AS
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
    s.decorrenza_presunta,                 -- expected first month: `2021-07`
    s.altro_genitore_modalita AS pagamento_altro_genitore_modalita, -- how to pay the other parent's half
    s.altro_genitore_iban AS pagamento_altro_genitore_iban, -- where to
    s.subentra,                            -- the child asks for itself, in the place of a parent's sheet
    s.dettagli                             -- what only its prestazione knows: an object
FROM schede s
JOIN domande d ON d.numero = s.numero_domanda
JOIN registrazioni r ON r.id = d.registrazione AND r.anno = d.anno;
