-- PUT /api/v1/usage/caps
-- 1 round trip, 3 statements: 402 characters, 8 parameters, 1 row read, 1 row written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- set
-- 218 characters, 3 parameters, 0 rows read, 1 row written
INSERT INTO usage_caps (scope, max_cost_usd, max_tokens)
VALUES (:scope, CAST(:max_cost_usd AS INTEGER), CAST(:max_tokens AS INTEGER))
ON CONFLICT (scope)
DO UPDATE SET max_cost_usd = excluded.max_cost_usd, max_tokens = excluded.max_tokens;

-- today
-- 119 characters, 4 parameters, 0 rows read, 0 rows written
--   SEARCH usage USING PRIMARY KEY (scope=? AND day=?)
UPDATE usage
SET max_cost_usd = CAST(:max_cost_usd AS INTEGER), max_tokens = CAST(:max_tokens AS INTEGER)
WHERE scope = :scope AND day = :day;

-- caps
-- 65 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH usage_caps USING PRIMARY KEY (scope=?)
SELECT max_cost_usd, max_tokens
FROM usage_caps
WHERE scope = :scope;
