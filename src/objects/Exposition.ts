/** Metrics of several scopes as one text of Prometheus. */
import { MaxScopes } from "../domain/feed/Metrics.ts"

export { MaxScopes }

const truncated = "octopoid_scopes_truncated"

/** Each family of a text: its comments, which are its first two lines, and its samples. */
const familiesOf = (text: string): ReadonlyArray<{ readonly head: string; readonly samples: ReadonlyArray<string> }> =>
  text.split(/^(?=# HELP )/m).filter((family) => family !== "").map((family) => {
    const [help = "", type = "", ...samples] = family.trimEnd().split("\n")
    return { head: `${help}\n${type}`, samples }
  })

/** The texts as one. `more` says that there are scopes which none of them shows. */
export const merge = (texts: ReadonlyArray<string>, more: boolean): string => {
  const families = new Map<string, Array<string>>()
  for (const { head, samples } of texts.flatMap(familiesOf)) {
    const all = families.get(head) ?? []
    families.set(head, all)
    all.push(...samples)
  }
  return Array.from(
    families,
    ([head, samples]) =>
      [head, ...(head.includes(truncated) ? [`${truncated} ${more ? 1 : 0}`] : samples), ""].join("\n")
  ).join("")
}
