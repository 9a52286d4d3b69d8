/** Headers that nobody sends, or not like this. */
import type { Chance } from "../support/Chance.ts"
import { foreignOrigins, loopbackOrigins } from "../support/origins.ts"

const contentTypes = [
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "multipart/form-data",
  "text/plain",
  "application/json; charset=utf-16",
  "application/json; charset=\"",
  "application/JSON;;;",
  "application/octet-stream",
  "application/vnd.api+json",
  "*/*",
  "json",
  ""
]

export const authorizations = [
  "Bearer",
  "Bearer ",
  "bearer x",
  `Bearer oct_${"0".repeat(64)}`,
  "Bearer oct_' OR 1=1 --",
  `Bearer ${"x".repeat(6000)}`,
  "Basic YTpi",
  "Bearer a, Bearer b",
  "Bearer \u00e9\u00ff",
  "null"
]

export const headers: ReadonlyArray<(random: Chance) => ReadonlyArray<readonly [string, string]>> = [
  (random) => [["content-type", random.pick(contentTypes)]],
  (random) => [["content-type", random.pick(contentTypes)], ["content-type", "application/json"]],
  (random) => [["content-encoding", random.pick(["gzip", "br", "deflate, gzip", "identity", "x", ""])]],
  (random) => [["accept", random.pick(["text/html", "application/xml", "*/*;q=0", ";", "x".repeat(2000)])]],
  (random) => [["origin", random.pick(foreignOrigins)], ["access-control-request-method", "X"]],
  (random) => [["origin", random.pick(loopbackOrigins)], ["access-control-request-method", "POST"]],
  (random) => [["origin", random.pick(loopbackOrigins)], ["origin", random.pick(foreignOrigins)]],
  (random) => [["sec-fetch-site", random.pick(["cross-site", "same-site"])], ["sec-fetch-mode", "no-cors"]],
  () => [["x-http-method-override", "DELETE"], ["x-forwarded-host", "evil"], ["x-original-url", "/api/v1/keys"]],
  (random) => [["idempotency-key", random.pick(["", " ", "a", "a, b", "k".repeat(256), "\u00e9"])]],
  () => [["idempotency-key", "one"], ["idempotency-key", "two"]],
  (random) => [["x-large", "x".repeat(random.pick([1000, 8000]))]],
  () => Array.from({ length: 60 }, (_, i) => [`x-many-${i}`, "1"] as const),
  () => [["traceparent", "00-zz-zz-zz"], ["b3", "x"], ["cookie", "a=b; __proto__=1"]]
]
