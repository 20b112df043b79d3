-- What a patronato asks for a page at a time: the feed of its changes.

-- ── The feed ────────────────────────────────────────────────────────────────────────────────────────────────────

-- One ente's rows after a cursor; every partition has its own, and a year to come gets it when it is attached.
CREATE INDEX variazioni_ente ON variazioni (ente, servizio, cursore);
-- Where a date begins in them.
CREATE INDEX variazioni_istante ON variazioni (ente, servizio, istante);
