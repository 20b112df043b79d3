-- What each ente has taken of its requests a minute (adesioni.toml, quota_al_minuto), for all gateways together. Unlogged: a slice
-- waits for no disk and no standby, and a copy or a promoted replica begins with none; what is lost is a count of one minute.

CREATE UNLOGGED TABLE quote (
    ente     text   PRIMARY KEY,
    inizio_s bigint NOT NULL,                    -- when its minute began (seconds of the Unix era, clock of a gateway)
    prese    bigint NOT NULL CHECK (prese >= 0), -- requests taken of it by all gateways
    fetta    bigint NOT NULL CHECK (fetta >= 0)  -- those that the last slice took
);

GRANT SELECT, INSERT, UPDATE ON quote TO varco_gateway;
