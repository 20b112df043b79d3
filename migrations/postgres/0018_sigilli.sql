-- The chain of proof (ADR 21): blocks that seal what was written, one after the other, and the documents that close its days.
-- A few seconds after a row is durable its hash is here; who changes it afterwards, or takes it away, is found.

CREATE TABLE sigilli (
    numero  bigint NOT NULL PRIMARY KEY CHECK (numero >= 1), -- of the block, from 1 without gap
    giorno  date   NOT NULL, -- in whose chain it stands: the day on which it was sealed, Europe/Rome
    testata text   NOT NULL, -- what its seal is the hash of, as JSON: number, instant, how far each table was sealed, root, block before
    sale    bytea  NOT NULL CHECK (length(sale) = 32), -- what hides personal values in an export; never leaves the store
    voci    bytea  NOT NULL, -- one entry a row: kind, name, SHA-256 of its columns, of its request and answer
    sigillo bytea  NOT NULL CHECK (length(sigillo) = 32) -- SHA-256 of `testata`
);

ALTER TABLE sigilli ALTER COLUMN voci SET STORAGE EXTERNAL;

CREATE INDEX sigilli_giorno ON sigilli (giorno, numero);

CREATE TRIGGER sigilli_non_si_modificano BEFORE UPDATE ON sigilli
FOR EACH ROW EXECUTE FUNCTION varco_vietato('sigilli: un sigillo non si modifica');
CREATE TRIGGER sigilli_non_si_cancellano BEFORE DELETE ON sigilli
FOR EACH ROW EXECUTE FUNCTION varco_vietato('sigilli: un sigillo non si cancella');
CREATE TRIGGER sigilli_non_si_svuotano BEFORE TRUNCATE ON sigilli
FOR EACH STATEMENT EXECUTE FUNCTION varco_vietato('sigilli: un sigillo non si cancella');

-- One row a day, empty days included: the document that is signed and kept outside.
CREATE TABLE sigilli_giorni (
    giorno    date NOT NULL PRIMARY KEY, -- which day, in Europe/Rome
    documento text NOT NULL              -- its document, byte for byte as the anchor has it
);

CREATE TRIGGER sigilli_giorni_non_si_modificano BEFORE UPDATE ON sigilli_giorni
FOR EACH ROW EXECUTE FUNCTION varco_vietato('sigilli_giorni: la chiusura di un giorno non si modifica');
CREATE TRIGGER sigilli_giorni_non_si_cancellano BEFORE DELETE ON sigilli_giorni
FOR EACH ROW EXECUTE FUNCTION varco_vietato('sigilli_giorni: la chiusura di un giorno non si cancella');
CREATE TRIGGER sigilli_giorni_non_si_svuotano BEFORE TRUNCATE ON sigilli_giorni
FOR EACH STATEMENT EXECUTE FUNCTION varco_vietato('sigilli_giorni: la chiusura di un giorno non si cancella');

-- Rows of several gateways become visible in another order than they were written in. The transaction that wrote a row tells
-- when no other can come before it any more: when it is older than every transaction that still runs. Rows of before have
-- that of this migration. The default is no volatile function, so no row is rewritten.
ALTER TABLE tracce ADD COLUMN transazione bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint);
ALTER TABLE porta  ADD COLUMN transazione bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint);

CREATE INDEX tracce_transazione_scrittura ON tracce (transazione, message_id);
CREATE INDEX porta_transazione ON porta (transazione, id);

-- The trace of a registration takes the place of the one that a hang-up left: whichever version of the program does it, it
-- comes to stand at the end, to be sealed once more. What a registration said is said for good, but for its bytes, whose
-- time may be over.
CREATE FUNCTION tracce_si_sostituiscono() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - ARRAY['richiesta', 'richiesta_codec', 'richiesta_bytes_len', 'risposta', 'risposta_codec',
                              'risposta_bytes_len', 'chiave_id'])
       IS DISTINCT FROM
       (to_jsonb(OLD) - ARRAY['richiesta', 'richiesta_codec', 'richiesta_bytes_len', 'risposta', 'risposta_codec',
                              'risposta_bytes_len', 'chiave_id']) THEN
        IF OLD.esito = 'REGISTRATA' OR NEW.esito <> 'REGISTRATA' THEN
            RAISE EXCEPTION 'tracce: una traccia si sostituisce soltanto con quella della registrazione'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        NEW.transazione := pg_current_xact_id()::text::bigint;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER tracce_si_sostituiscono BEFORE UPDATE ON tracce
FOR EACH ROW EXECUTE FUNCTION tracce_si_sostituiscono();

GRANT SELECT, INSERT ON sigilli, sigilli_giorni TO varco_gateway;
GRANT SELECT (transazione) ON tracce TO varco_audit;
GRANT SELECT ON sigilli_giorni TO varco_audit;
GRANT SELECT (numero, giorno, testata, voci, sigillo) ON sigilli TO varco_audit;
