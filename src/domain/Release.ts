/** Names the code that answers, so that an entity tag of one release is unknown to every other. */

// scripts/build-worker.ts puts the hash of the bundle here.
declare const OCTOPOID_RELEASE: string

/** The same for the same code: a hash of the bundle. Code that runs from its source is `source`. */
export const Release: string = typeof OCTOPOID_RELEASE === "undefined" ? "source" : OCTOPOID_RELEASE
