/** Names the code that answers, so that an entity tag of one release is unknown to every other release. */

// `scripts/build/` replaces this with the hash of the bundle.
declare const OCTOPOID_RELEASE: string

/** The hash of the bundle, or `source` if the code runs from its source. */
export const Release: string = typeof OCTOPOID_RELEASE === "undefined" ? "source" : OCTOPOID_RELEASE
