-- What a patronato asks for a page at a time: the feed of its changes.

-- ── The feed ────────────────────────────────────────────────────────────────────────────────────────────────────

-- One ente's rows after a cursor: behind the two columns SQLite keeps the rowid, which is `cursore`.
CREATE INDEX variazioni_ente ON variazioni (ente, servizio);
-- Where a date begins in them.
CREATE INDEX variazioni_istante ON variazioni (ente, servizio, istante);
