-- Acts that change what a domanda says: its data as they shall be, and sheets that are added.

-- When each sheet was presented: age and decorrenza of its child count from that day. With the domanda, or later with the
-- act that added it.
CREATE VIEW motore_presentazioni_v1 AS
SELECT
    s.numero_domanda,                      -- numero domanda
    s.posto,                               -- place of the sheet, from 1
    r.protocollo,                          -- the registration that brought it
    r.operazione,                          -- which act: `InviaDomanda`, `AggiungiMinore`, `AggiungiFiglio`
    r.presentata_il,                       -- request wholly received
    r.registrata_il                        -- registered
FROM schede s
JOIN registrazioni r ON r.id = s.registrazione;

-- The gateway writes the data of a domanda and of its sheets as an act says they shall be; who asks, whose child a sheet
-- is and what the engine decides stay out of its reach.
GRANT UPDATE (richiedente_nome, richiedente_cognome, richiedente_email, richiedente_cellulare, richiedente_indirizzo,
    presentata_da, genitore_tutelato, modalita, iban, intestato_richiedente, dichiarazioni, dettagli)
    ON domande TO varco_gateway;
GRANT UPDATE (data_nascita, qualita, disabile, affido_condiviso, altro_genitore, altro_genitore_assente, ripartizione,
    altro_genitore_modalita, altro_genitore_iban, decorrenza_presunta, dettagli)
    ON schede TO varco_gateway;
GRANT SELECT ON motore_presentazioni_v1 TO varco_gateway, varco_motore;
