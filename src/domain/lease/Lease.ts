/** How long leases last, and when to renew them. */

/** The longest lease there is, in seconds: 24 hours. Real orchestrators ask for four. */
export const MaxLeaseSeconds = 86_400

/**
 * When a lease is to be renewed, in seconds from now: after a third of what is left, as the client of etcd does it, so that
 * two renewals in a row may be lost before the lease is.
 */
export const renewAfterSeconds = (millisLeft: number): number => Math.max(1, Math.round(millisLeft / 3000))

/** The holder's name when a task was put into `claimed` by hand and nobody said for whom. */
export const UnknownHolder = "unknown"
