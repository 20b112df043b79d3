-- A session keeps the plan of a function from its first call on. On a new store that is the plan for empty tables: a look at all
-- of `domande` for every batch, slower with every domanda, until somebody gathers statistics (half the rate within 15 seconds of
-- load). What these look up, they look up by its key, whatever is known of the tables.
ALTER FUNCTION varco_elenca() SET enable_seqscan = off;
ALTER FUNCTION varco_elenca() SET enable_hashjoin = off;
ALTER FUNCTION varco_elenca() SET enable_mergejoin = off;
ALTER FUNCTION varco_elenco_cambia() SET enable_seqscan = off;
ALTER FUNCTION varco_elenco_cambia() SET enable_hashjoin = off;
ALTER FUNCTION varco_elenco_cambia() SET enable_mergejoin = off;
ALTER FUNCTION varco_variazioni_delegate() SET enable_seqscan = off;
ALTER FUNCTION varco_variazioni_delegate() SET enable_hashjoin = off;
ALTER FUNCTION varco_variazioni_delegate() SET enable_mergejoin = off;
