/** Where an operator looks when a check fails. */
const logs = "Look for the request id in the log of the Worker (`npx wrangler tail`)."

export const Look = {
  logs,
  /** The database does not fit this version of the server, or two versions answer. */
  deployment:
    `Are all migrations applied (\`npx wrangler d1 migrations list octopoid-db --remote\`), and does one version of the Worker get all requests? ${logs}`,
  /** Something between this program and the server answers requests or changes them. */
  between: `Does a proxy, a cache or a firewall in front of the server change, repeat or answer requests? ${logs}`,
  /** The clock is wrong, or expired leases are not taken back. */
  time:
    `Is the clock of the server right (\`timestamp\` in /api/health)? Does the cron of \`wrangler.toml\` run? Are all migrations applied? ${logs}`,
  /** A caller reaches records that it must not reach. */
  access:
    "Take the server off the net until it is found. Is `API_SECRET_KEY` set, and does a proxy in front add or replace the Authorization header? List all keys with `GET /api/v1/keys`, and read SECURITY.md."
} as const
