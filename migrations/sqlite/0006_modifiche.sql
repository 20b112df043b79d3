-- Acts that change what a domanda says: its data as they shall be, and sheets that are added.

ALTER TABLE schede ADD COLUMN registrazione INTEGER REFERENCES registrazioni (id); -- the registration that brought it

UPDATE schede
SET registrazione = (SELECT d.registrazione FROM domande d WHERE d.numero = schede.numero_domanda);

-- When each sheet was presented: age and decorrenza of its child count from that day. With the domanda, or later with the
-- act that added it.
CREATE VIEW motore_presentazioni_v1 AS
SELECT
    s.numero_domanda,                      -- numero domanda
    s.posto,                               -- place of the sheet, from 1
    r.protocollo,                          -- the registration that brought it
    r.operazione,                          -- which act: `InviaDomanda`, `AggiungiMinore`, `AggiungiFiglio`
    strftime('%Y-%m-%dT%H:%M:%S', r.presentata_il / 1000, 'unixepoch')
        || printf('.%03dZ', r.presentata_il % 1000) AS presentata_il, -- request wholly received
    strftime('%Y-%m-%dT%H:%M:%S', r.registrata_il / 1000, 'unixepoch')
        || printf('.%03dZ', r.registrata_il % 1000) AS registrata_il -- registered
FROM schede s
JOIN registrazioni r ON r.id = s.registrazione;
