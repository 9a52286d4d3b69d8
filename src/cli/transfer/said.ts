/** What to say when a server refuses a page of an export or a piece of a restore. */
import { type Failure, refused, unreachable } from "../ask/Failure.ts"

const sentence = (text: string): string | undefined => {
  try {
    const { error } = JSON.parse(text) as { readonly error?: unknown }
    if (typeof error === "string") return /[.!?]$/.test(error) ? error : `${error}.`
  } catch {
    /* not of this server */
  }
  return undefined
}

/** The sentence of the server and a hint. What is no answer of this server comes from something else at the address. */
export const refusalOf = (url: string, status: number, text: string, hint = ""): Failure => {
  const said = sentence(text)
  return said === undefined
    ? unreachable(`${url} answered ${status} with no answer of an Octopoid server. Is this its address (--url)?`)
    : refused(`${url} answered ${status}: ${said}${hint}`)
}
