-- Traces {da} + 1 ..= {a}: everything about one follows from its number.
BEGIN;
CREATE TEMP TABLE nuove ON COMMIT DROP AS
WITH sorte AS (SELECT n, (n * 2654435761) % 4294967296 AS h FROM generate_series({da}::bigint + 1, {a}::bigint) AS g (n)),
chi AS (
    SELECT n, h,
           CASE WHEN n % 200000 = 7 THEN 'PATXX'
                ELSE 'PAT' || lpad((1 + ((h % 1000) * (h % 1000) * 30) / 1000000)::text, 2, '0') END AS ente,
           CASE WHEN n % 1000000 IN (5, 9, 13) THEN 'FAULT'
                WHEN (h / 13) % 100 < 80 THEN 'REGISTRATA' WHEN (h / 13) % 100 < 86 THEN 'RISPOSTA'
                WHEN (h / 13) % 100 < 90 THEN 'RIPETUTA' WHEN (h / 13) % 100 < 95 THEN 'RIFIUTATA'
                WHEN (h / 13) % 100 < 99 THEN 'FAULT' ELSE 'AMMISSIBILE' END AS esito
    FROM sorte)
SELECT n, h, ente, esito, {base} + n * 3000 AS ms, to_timestamp(({base} + n * 3000) / 1000.0) AS istante,
       (lpad(to_hex({base} + n * 3000), 12, '0') || '7' || lpad(to_hex(h % 4096), 3, '0') || '8'
           || lpad(to_hex(n), 15, '0'))::uuid AS id,
       CASE WHEN esito IN ('RIFIUTATA', 'FAULT')
            THEN CASE WHEN n % 1000000 = 9 THEN 'ALL-019' ELSE
                (ARRAY['XSD-001','XSD-004','CF-002','AT-006','ACC-003','RPL-001','AU-007','IDN-002'])[1 + (h / 17) % 8] END
       END AS codice
FROM chi;
INSERT INTO tracce (message_id, ricevuto_il, canale, indirizzo, certificato_soggetto, certificato_seriale, tls, ente,
    user_id, codice_ufficio, identity_forma, uri, servizio, operazione, id_mittente, chiave_invio, digest, impronta,
    richiesta_len, risposta_len, http_status, esito, codice, codici, protocollo, numero_domanda, tempi_us,
    richiesta_codec, richiesta_bytes_len, richiesta, risposta_codec, risposta_bytes_len, risposta)
SELECT id, istante,
       CASE WHEN (h / 19) % 100 < 85 THEN 'MODI' WHEN (h / 19) % 100 < 95 OR esito <> 'REGISTRATA' THEN 'PDD' ELSE 'LOTTO' END,
       CASE WHEN n % 1000000 = 5 THEN '203.0.113.9' ELSE '192.0.2.' || (h % 30) END,
       'CN=' || lower(ente) || ', O=Patronato di prova, C=IT', '0A' || substr(ente, 4), 'TLSv1.3 TLS_AES_256_GCM_SHA384',
       ente, 'op' || ((h / 11) % 20000),
       CASE WHEN n % 500000 = 11 THEN 'RARO' ELSE lpad(((h / 7) % 300)::text, 4, '0') END,
       'CANONICA', 'POST /modi/soap/AssegnoTemporaneo/v1/',
       CASE WHEN h % 3 = 0 THEN 'AssegnoUnicoUniversale' ELSE 'AssegnoTemporaneo' END,
       CASE WHEN n % 100000 = 3 THEN 'RichiediRiesame' WHEN esito = 'RISPOSTA' THEN 'ConsultaDomanda' ELSE 'InviaDomanda' END,
       CASE WHEN h % 2 = 0 THEN 'urn:uuid:' || n END,
       ente || '-' || n, md5(n::text) || md5(h::text), md5(h::text) || md5(n::text),
       2400, 900, CASE WHEN esito = 'FAULT' THEN 500 ELSE 200 END, esito, codice,
       CASE WHEN codice IS NOT NULL
            THEN CASE WHEN h % 4 = 0 THEN jsonb_build_array(codice, 'XSD-090') ELSE jsonb_build_array(codice) END END,
       CASE WHEN esito IN ('REGISTRATA', 'RIPETUTA') THEN 'INPS-AUF-2021-' || lpad(n::text, 12, '0') END,
       CASE WHEN esito IN ('REGISTRATA', 'RIPETUTA') THEN n END,
       '[["busta",20],["lettura",80],["regole",12],["registrazione",900],["risposta",30]]',
       CASE WHEN esito <> 'REGISTRATA' THEN 'IDENTITY' END, CASE WHEN esito <> 'REGISTRATA' THEN 600 END,
       CASE WHEN esito <> 'REGISTRATA' THEN decode(repeat(md5(n::text), 37) || repeat('00', 8), 'hex') END,
       CASE WHEN esito <> 'REGISTRATA' THEN 'IDENTITY' END, CASE WHEN esito <> 'REGISTRATA' THEN 304 END,
       CASE WHEN esito <> 'REGISTRATA' THEN decode(repeat(md5(h::text), 19), 'hex') END
FROM nuove
ORDER BY n;
INSERT INTO tracce_indizi (indizio, ricevuto_il, message_id)
SELECT decode('50' || md5('a' || n), 'hex'), istante, id FROM nuove WHERE esito NOT IN ('REGISTRATA', 'RISPOSTA')
UNION ALL SELECT decode('50' || md5('b' || n), 'hex'), istante, id FROM nuove WHERE esito <> 'REGISTRATA'
UNION ALL SELECT decode('50{ombra}', 'hex'), istante, id FROM nuove WHERE n % 1000000 = 13
UNION ALL SELECT convert_to('CXSD-090', 'UTF8'), istante, id FROM nuove WHERE codice IS NOT NULL AND h % 4 = 0
UNION ALL SELECT convert_to('N' || n, 'UTF8'), istante, id FROM nuove WHERE esito = 'RIPETUTA';
COMMIT;
