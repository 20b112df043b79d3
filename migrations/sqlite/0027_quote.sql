-- Quotas that several gateways share, which an embedded store has not: here there is nothing to do, and both stores keep their
-- number.
SELECT 1;
