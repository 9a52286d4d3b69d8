-- GET /api/v1/usage
-- 1 round trip, 2 statements: 213 characters, 4 parameters, 1 row read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- found
-- 148 characters, 3 parameters, 1 row read, 0 rows written
--   SEARCH usage USING PRIMARY KEY (scope=? AND day>? AND day<?)
SELECT day, cost_usd, input_tokens, output_tokens, cached_tokens, wall_seconds
FROM usage
WHERE scope = :scope AND day BETWEEN :from_day AND :to_day
ORDER BY day;

-- caps
-- 65 characters, 1 parameter, 0 rows read, 0 rows written
--   SEARCH usage_caps USING PRIMARY KEY (scope=?)
SELECT max_cost_usd, max_tokens
FROM usage_caps
WHERE scope = :scope;
