-- The headers of an exchange lie in one value, compressed, one behind the other (ADR 17). What was written before stays in
-- `richiesta` and `risposta`, where a program of before this version goes on writing.

ALTER TABLE egov
    ADD COLUMN codec         text,    -- of `intestazioni`: `ZSTD_D2`, `IDENTITY`
    ADD COLUMN richiesta_len bigint,  -- bytes of the Intestazione as received, which stands first; NULL = none
    ADD COLUMN risposta_len  bigint,  -- bytes of the Intestazione as sent; NULL = none
    ADD COLUMN intestazioni  bytea;   -- both; NULL = none, or in `richiesta` and `risposta`
