-- Traces {da} + 1 ..= {a}: everything about one follows from its number.
BEGIN;
CREATE TEMP TABLE nuove AS
WITH RECURSIVE numeri (n) AS (SELECT {da} + 1 UNION ALL SELECT n + 1 FROM numeri WHERE n < {a}),
sorte AS (SELECT n, (n * 2654435761) % 4294967296 AS h FROM numeri),
chi AS (
    SELECT n, h,
           CASE WHEN n % 200000 = 7 THEN 'PATXX'
                ELSE printf('PAT%02d', 1 + ((h % 1000) * (h % 1000) * 30) / 1000000) END AS ente,
           CASE WHEN n % 1000000 IN (5, 9, 13) THEN 'FAULT'
                WHEN (h / 13) % 100 < 80 THEN 'REGISTRATA' WHEN (h / 13) % 100 < 86 THEN 'RISPOSTA'
                WHEN (h / 13) % 100 < 90 THEN 'RIPETUTA' WHEN (h / 13) % 100 < 95 THEN 'RIFIUTATA'
                WHEN (h / 13) % 100 < 99 THEN 'FAULT' ELSE 'AMMISSIBILE' END AS esito
    FROM sorte)
SELECT n, h, ente, esito, {base} + n * 3000 AS ms,
       CASE WHEN esito IN ('RIFIUTATA', 'FAULT')
            THEN CASE WHEN n % 1000000 = 9 THEN 'ALL-019' ELSE json_extract(
                '["XSD-001","XSD-004","CF-002","AT-006","ACC-003","RPL-001","AU-007","IDN-002"]', '$[' || ((h / 17) % 8) || ']') END
       END AS codice
FROM chi;
INSERT INTO tracce (message_id, ricevuto_il, canale, indirizzo, certificato_soggetto, certificato_seriale, tls, ente,
    user_id, codice_ufficio, identity_forma, uri, servizio, operazione, id_mittente, chiave_invio, digest, impronta,
    richiesta_len, risposta_len, http_status, esito, codice, codici, protocollo, numero_domanda, tempi_us,
    richiesta_codec, richiesta_bytes_len, richiesta, risposta_codec, risposta_bytes_len, risposta)
SELECT printf('%08x-%04x-7%03x-8%03x-%012x', ms >> 16, ms & 65535, h % 4096, n % 4096, n),
       ms,
       CASE WHEN (h / 19) % 100 < 85 THEN 'MODI' WHEN (h / 19) % 100 < 95 OR esito <> 'REGISTRATA' THEN 'PDD' ELSE 'LOTTO' END,
       CASE WHEN n % 1000000 = 5 THEN '203.0.113.9' ELSE '192.0.2.' || (h % 30) END,
       'CN=' || lower(ente) || ', O=Patronato di prova, C=IT', '0A' || substr(ente, 4), 'TLSv1.3 TLS_AES_256_GCM_SHA384',
       ente, 'op' || ((h / 11) % 20000),
       CASE WHEN n % 500000 = 11 THEN 'RARO' ELSE printf('%04d', (h / 7) % 300) END,
       'CANONICA', 'POST /modi/soap/AssegnoTemporaneo/v1/',
       CASE WHEN h % 3 = 0 THEN 'AssegnoUnicoUniversale' ELSE 'AssegnoTemporaneo' END,
       CASE WHEN n % 100000 = 3 THEN 'RichiediRiesame' WHEN esito = 'RISPOSTA' THEN 'ConsultaDomanda' ELSE 'InviaDomanda' END,
       CASE WHEN h % 2 = 0 THEN 'urn:uuid:' || n END,
       ente || '-' || n, hex(randomblob(32)), hex(randomblob(32)),
       2400, 900, CASE WHEN esito = 'FAULT' THEN 500 ELSE 200 END, esito, codice,
       CASE WHEN codice IS NOT NULL THEN CASE WHEN h % 4 = 0 THEN json_array(codice, 'XSD-090') ELSE json_array(codice) END END,
       CASE WHEN esito IN ('REGISTRATA', 'RIPETUTA') THEN printf('INPS-AUF-2021-%012d', n) END,
       CASE WHEN esito IN ('REGISTRATA', 'RIPETUTA') THEN n END,
       '[["busta",20],["lettura",80],["regole",12],["registrazione",900],["risposta",30]]',
       CASE WHEN esito <> 'REGISTRATA' THEN 'IDENTITY' END, CASE WHEN esito <> 'REGISTRATA' THEN 600 END,
       CASE WHEN esito <> 'REGISTRATA' THEN randomblob(600) END,
       CASE WHEN esito <> 'REGISTRATA' THEN 'IDENTITY' END, CASE WHEN esito <> 'REGISTRATA' THEN 300 END,
       CASE WHEN esito <> 'REGISTRATA' THEN randomblob(300) END
FROM nuove
ORDER BY n;
CREATE TEMP TABLE indici AS
SELECT v.n, v.h, v.ms, v.esito, v.codice, (SELECT max(id) FROM tracce) - {a} + v.n AS traccia FROM nuove v WHERE v.esito <> 'REGISTRATA';
INSERT INTO tracce_indizi (indizio, ricevuto_il, traccia)
SELECT * FROM (
    SELECT CAST(x'50' || randomblob(16) AS BLOB), ms, traccia FROM indici WHERE esito <> 'RISPOSTA'
    UNION ALL SELECT CAST(x'50' || randomblob(16) AS BLOB), ms, traccia FROM indici
    UNION ALL SELECT x'50{ombra}', ms, traccia FROM indici WHERE n % 1000000 = 13
    UNION ALL SELECT CAST('CXSD-090' AS BLOB), ms, traccia FROM indici WHERE codice IS NOT NULL AND h % 4 = 0
    UNION ALL SELECT CAST('N' || n AS BLOB), ms, traccia FROM indici WHERE esito = 'RIPETUTA')
ORDER BY 1;
DROP TABLE nuove;
DROP TABLE indici;
COMMIT;
