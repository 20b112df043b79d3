-- What finds a trace that the columns of `tracce` and the register do not (ADR 19). Written with the trace of a message that no
-- registration holds: refused, repeated, read. A registered message costs nothing here.

-- One row for each thing by which such a trace is found: a letter and a value.
--   `C` + an error code that is not the first of its message      (`CXSD-004`)
--   `N` + the number of the domanda that the message was about    (`N42`)
--   `P` + sixteen bytes that stand for somebody who is named in it: HMAC-SHA256 of the codice fiscale, by a key that is
--         not in this store
CREATE TABLE tracce_indizi (
    indizio     BLOB    NOT NULL, -- letter and value
    ricevuto_il INTEGER NOT NULL, -- that of the trace
    traccia     INTEGER NOT NULL, -- `tracce.id`
    PRIMARY KEY (indizio, ricevuto_il, traccia)
) STRICT, WITHOUT ROWID;

-- What was there before; of persons there is nothing to be had without the key.
INSERT INTO tracce_indizi (indizio, ricevuto_il, traccia)
SELECT DISTINCT CAST('C' || j.value AS BLOB), t.ricevuto_il, t.id
FROM tracce t
CROSS JOIN json_each(t.codici) j
WHERE t.codici IS NOT NULL AND j.value IS NOT t.codice;

INSERT INTO tracce_indizi (indizio, ricevuto_il, traccia)
SELECT CAST('N' || numero_domanda AS BLOB), ricevuto_il, id
FROM tracce
WHERE esito <> 'REGISTRATA' AND numero_domanda IS NOT NULL;

-- Searches that somebody gave a name. No person stands in them.
CREATE TABLE tracce_filtri (
    proprietario TEXT    NOT NULL, -- the operator whose it is; '' = everybody's
    nome         TEXT    NOT NULL, -- its name
    criteri      TEXT    NOT NULL, -- a JSON object: criterion and value
    salvato_il   INTEGER NOT NULL, -- when, true clock
    PRIMARY KEY (proprietario, nome)
) STRICT, WITHOUT ROWID;
