/** The branch of a lease, `octopoid/<task>/<token>`: the hook of git reads from its name which lease has to hold. */

// Characters that `encodeURIComponent` leaves: git refuses some of them, and a shell takes others for its own.
const marks = /[!'()*~]/g

// Git refuses a name that contains `..`, and a name in which a part begins with a dot, or ends in a dot or in `.lock`.
const dots = /^\.|\.(?=\.|$|lock$)/g

const hex = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`

/**
 * The task id is encoded as in a URL, so it is the same text in the name of the branch and in the path of a request.
 */
export const branchOf = (task_id: string, token: number): string =>
  `octopoid/${encodeURIComponent(task_id).replace(marks, hex).replace(dots, hex)}/${token}`
