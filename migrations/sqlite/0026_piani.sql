-- The plans of triggers, which PostgreSQL keeps and SQLite makes anew with each statement: here there is nothing to do, and both
-- stores keep their number.
SELECT 1;
