/**
 * How often a change that was worked out from what was read is tried. Each failed attempt means that somebody else's change
 * went through, so this many in a row is a storm, not a race.
 */
export const Attempts = 5
