-- The papers that are made of a registration: the receipt as pages, the summary. What a paper shows is fixed with its first
-- download: later ones, and later releases, only carry these bytes.
CREATE TABLE carte (
    numero_domanda bigint      NOT NULL, -- of which domanda
    registrazione  bigint      NOT NULL, -- of which registration
    anno           smallint    NOT NULL, -- of which year
    documento      text        NOT NULL CHECK (documento IN ('RICEVUTA', 'RIEPILOGO')), -- which paper
    formato        text        NOT NULL CHECK (formato IN ('XML', 'PDF')), -- in which form
    impaginazione  smallint    NOT NULL, -- the layout that made it
    composta_il    timestamptz NOT NULL, -- when it was first asked for; nothing in it depends on that
    impronta       bytea       NOT NULL CHECK (length(impronta) = 32), -- SHA-256 of its bytes
    bytes_len      bigint      NOT NULL, -- length before compression
    codec          text        NOT NULL, -- `IDENTITY`, `ZSTD`
    chiave_id      text,                 -- the key that encrypts them; NULL = in clear
    bytes          bytea       NOT NULL, -- the paper
    PRIMARY KEY (numero_domanda, registrazione, documento, formato)
);

ALTER TABLE carte ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TRIGGER carte_non_si_modificano BEFORE UPDATE ON carte
FOR EACH ROW EXECUTE FUNCTION varco_vietato('carte: un documento emesso non si modifica');

CREATE TRIGGER carte_non_si_svuotano BEFORE TRUNCATE ON carte
FOR EACH STATEMENT EXECUTE FUNCTION varco_vietato('carte: un documento emesso non si cancella');

-- A receipt stays like the one that was told. A summary is the request in other words: it goes with it, and never alone.
-- (A year of `payload` that is detached takes no trigger with it: whoever detaches it deletes the summaries of that year.)
CREATE FUNCTION varco_carta_resta() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.documento = 'RICEVUTA' OR EXISTS (
        SELECT 1 FROM payload p
        WHERE p.numero_domanda = OLD.numero_domanda AND p.registrazione = OLD.registrazione AND p.anno = OLD.anno)
    THEN
        RAISE EXCEPTION 'carte: un documento emesso non si cancella'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END
$$;

CREATE TRIGGER carte_non_si_cancellano BEFORE DELETE ON carte
FOR EACH ROW EXECUTE FUNCTION varco_carta_resta();

CREATE FUNCTION varco_riepilogo_con_il_payload() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM carte c
    WHERE c.numero_domanda = OLD.numero_domanda AND c.registrazione = OLD.registrazione AND c.documento = 'RIEPILOGO';
    RETURN NULL;
END
$$;

CREATE TRIGGER payload_con_il_suo_riepilogo AFTER DELETE ON payload
FOR EACH ROW EXECUTE FUNCTION varco_riepilogo_con_il_payload();

-- The gateway makes papers and carries them. The auditor sees that they were made, and what they were, not what they say.
GRANT SELECT, INSERT ON carte TO varco_gateway;
GRANT SELECT (numero_domanda, registrazione, anno, documento, formato, impaginazione, composta_il, impronta, bytes_len)
    ON carte TO varco_audit;
