const MaxRemembered = 1000

/** Forgets the oldest if there are too many. */
export const bound = (remembered: Map<string, unknown> | Set<string>) => {
  if (remembered.size > MaxRemembered) remembered.delete(remembered.keys().next().value!)
}
