-- Documents that come after the domanda, with their bytes where the engine and a later download can read them.

ALTER TABLE allegati ADD COLUMN schede jsonb; -- the sheets that it is for: an array of places; NULL = the domanda as a whole

-- The bytes of each document, decoded, beside what is known of it in `allegati` (docs/adr/0010-documenti-decodificati.md).
-- Personal data: purged with the payload.
CREATE TABLE documenti (
    numero_domanda bigint  NOT NULL, -- of which domanda
    registrazione  bigint  NOT NULL, -- with which registration
    posto          integer NOT NULL, -- place in it, from 1
    codec          text    NOT NULL, -- `IDENTITY`, `ZSTD`
    chiave_id      text,             -- the key that encrypts them; NULL = in clear
    bytes          bytea   NOT NULL, -- the document
    PRIMARY KEY (numero_domanda, registrazione, posto),
    FOREIGN KEY (numero_domanda, registrazione, posto) REFERENCES allegati (numero_domanda, registrazione, posto)
);

-- PDF and JPEG are compressed already.
ALTER TABLE documenti ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE VIEW motore_documenti_v1 AS
SELECT
    a.numero_domanda,                      -- numero domanda
    r.protocollo,                          -- the registration it came with: of the domanda, or of an act
    r.operazione,                          -- which act: `InviaDomanda`, `AllegaDocumento`
    a.posto,                               -- place in it, from 1
    a.schede,                              -- the sheets that it is for: an array of places; NULL = the domanda as a whole
    a.tipo,                                -- word of the codelist
    a.nome_file,                           -- file name
    a.tipo_mime,                           -- word of the codelist
    encode(a.impronta, 'hex') AS impronta, -- SHA-256 of the decoded bytes
    a.bytes_len,                           -- length of the decoded bytes
    d.codec,                               -- how `bytes` are kept: `IDENTITY` = as they are
    d.chiave_id,                           -- the key that encrypts them; NULL = in clear
    d.bytes                                -- the document; NULL = purged
FROM allegati a
JOIN registrazioni r ON r.id = a.registrazione
LEFT JOIN documenti d
    ON d.numero_domanda = a.numero_domanda AND d.registrazione = a.registrazione AND d.posto = a.posto;

-- ── What each role may do, and no more ──────────────────────────────────────────────────────────────────────────

GRANT SELECT ON documenti, motore_documenti_v1 TO varco_gateway;
GRANT INSERT ON documenti TO varco_gateway;

GRANT SELECT ON motore_documenti_v1 TO varco_motore;
