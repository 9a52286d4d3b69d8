/** The search of the documentation: a script in the page, which the page's policy names by its hash. */
import * as Effect from "effect/Effect"
import { Html } from "./Html.ts"

/**
 * Shows the endpoints and schemas whose line has all words of the search, or, if there are none, those that have them
 * anywhere. Without scripts there is no field, and all is shown.
 */
const script = `
const field = document.querySelector("#search")
const found = document.querySelector("#found")
const parts = [...document.querySelectorAll("main details")]
const texts = parts.map((part) => part.textContent.toLowerCase())
const lines = parts.map((part) => part.querySelector("summary").textContent.toLowerCase())
const search = () => {
  const words = field.value.toLowerCase().split(/\\s+/).filter(Boolean)
  const has = (text) => words.every((word) => text.includes(word))
  const shown = parts.filter((_, n) => has(lines[n]))
  const fitting = new Set(shown.length > 0 ? shown : parts.filter((_, n) => has(texts[n])))
  for (const part of parts) part.hidden = !fitting.has(part)
  for (const section of document.querySelectorAll("main section")) {
    section.hidden = words.length > 0 && !section.querySelector("details:not([hidden])")
  }
  document.querySelector("nav").hidden = words.length > 0
  found.textContent = words.length === 0 ? "" : fitting.size + " found"
}
field.closest("form").hidden = false
field.closest("form").addEventListener("submit", (event) => event.preventDefault())
field.addEventListener("input", search)
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target === field) return
  event.preventDefault()
  field.focus()
})
search()
`

export const searchScript = new Html(`<script>${script}</script>`)

/** The source of the script for a Content-Security-Policy. */
export const searchSource = Effect.map(
  Effect.promise(() => crypto.subtle.digest("SHA-256", new TextEncoder().encode(script))),
  (digest) => `'sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}'`
)
