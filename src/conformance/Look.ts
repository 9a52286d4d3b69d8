/** Where an operator looks when a check fails. */
const logs = "Look for the request id in the log of the Worker (`npx wrangler tail`)."

export const Look = {
  logs,
  /** The database is not as this version of the server wants it, or two versions answer. */
  deployment:
    `Are all migrations applied (\`npx wrangler d1 migrations list octopoid-db --remote\`), and does one version of the Worker get all requests? ${logs}`,
  /** Something between here and the server answers itself, or changes what passes. */
  between: `Does a proxy, a cache or a firewall in front of the server change, repeat or answer requests? ${logs}`,
  /** Time is not what it should be, or expired leases are not taken back. */
  time:
    `Is the clock of the server right (\`timestamp\` in /api/health)? Does the cron of \`wrangler.toml\` run? Are all migrations applied? ${logs}`,
  /** Somebody reaches what is not theirs. */
  access:
    "Take the server off the net until it is found. Is `API_SECRET_KEY` set, and does a proxy in front add or replace the Authorization header? List all keys with `GET /api/v1/keys`, and read SECURITY.md."
} as const
