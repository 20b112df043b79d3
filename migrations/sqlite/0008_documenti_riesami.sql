-- Documents that come after the domanda, with their bytes where the engine and a later download can read them.

ALTER TABLE allegati ADD COLUMN schede TEXT CHECK (schede IS NULL OR json_valid(schede)); -- the sheets that it is for: a JSON array of places; NULL = the domanda as a whole

-- The bytes of each document, decoded, beside what is known of it in `allegati` (docs/adr/0010-documenti-decodificati.md).
-- Personal data: purged with the payload.
CREATE TABLE documenti (
    registrazione INTEGER NOT NULL, -- with which registration
    posto         INTEGER NOT NULL, -- place in it, from 1
    codec         TEXT    NOT NULL, -- `IDENTITY`, `ZSTD`
    chiave_id     TEXT,             -- the key that encrypts them; NULL = in clear
    bytes         BLOB    NOT NULL, -- the document
    PRIMARY KEY (registrazione, posto),
    FOREIGN KEY (registrazione, posto) REFERENCES allegati (registrazione, posto)
) STRICT;

CREATE VIEW motore_documenti_v1 AS
SELECT
    r.numero_domanda,                      -- numero domanda
    r.protocollo,                          -- the registration it came with: of the domanda, or of an act
    r.operazione,                          -- which act: `InviaDomanda`, `AllegaDocumento`
    a.posto,                               -- place in it, from 1
    a.schede,                              -- the sheets that it is for: a JSON array of places; NULL = the domanda as a whole
    a.tipo,                                -- word of the codelist
    a.nome_file,                           -- file name
    a.tipo_mime,                           -- word of the codelist
    lower(hex(a.impronta)) AS impronta,    -- SHA-256 of the decoded bytes
    a.bytes_len,                           -- length of the decoded bytes
    d.codec,                               -- how `bytes` are kept: `IDENTITY` = as they are
    d.chiave_id,                           -- the key that encrypts them; NULL = in clear
    d.bytes                                -- the document; NULL = purged
FROM allegati a
JOIN registrazioni r ON r.id = a.registrazione
LEFT JOIN documenti d ON d.registrazione = a.registrazione AND d.posto = a.posto;
