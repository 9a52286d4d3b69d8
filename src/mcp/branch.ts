/** The branch of a lease, `octopoid/<task>/<token>`: the hook of git reads from its name which lease has to hold. */

// These are of the characters that `encodeURIComponent` leaves, and git refuses names with `..`, with a part that begins
// with a dot, and with one that ends in a dot or in `.lock`. The rest of its rules concern characters that are encoded.
const dots = /^\.|\.(?=\.|$|lock$)/g

/** The task id is encoded as in a URL, so it is the same text in the name of the branch and in the path of a request. */
export const branchOf = (task_id: string, token: number): string =>
  `octopoid/${encodeURIComponent(task_id).replace(dots, "%2E")}/${token}`
