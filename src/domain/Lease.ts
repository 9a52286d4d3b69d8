/** How long leases last, and when to renew them. */

/** The longest lease there is, in seconds: 24 hours. Real orchestrators ask for four. */
export const MaxLeaseSeconds = 86_400

/** The holder's name when a task was put into `claimed` by hand and nobody said for whom. */
export const UnknownHolder = "unknown"
