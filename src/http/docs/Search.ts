/** The search of the documentation: a script in the page, which the page's policy names by its hash. */
import * as Effect from "effect/Effect"
import { Html } from "./Html.ts"

/** Shows the endpoints, schemas and links that have all words of the search. Without scripts there is no field, and all is shown. */
const script = `
const field = document.querySelector("#search")
const parts = [...document.querySelectorAll("main details, nav li")]
const texts = parts.map((part) => part.textContent.toLowerCase())
const found = document.querySelector("#found")
const search = () => {
  const words = field.value.toLowerCase().split(/\\s+/).filter(Boolean)
  let count = 0
  parts.forEach((part, n) => {
    part.hidden = !words.every((word) => texts[n].includes(word))
    if (!part.hidden && part.localName === "details") count++
  })
  for (const section of document.querySelectorAll("main section")) {
    const own = [...section.querySelectorAll("details")]
    section.hidden = words.length > 0 && own.every((part) => part.hidden)
  }
  found.textContent = words.length === 0 ? "" : count === 1 ? "1 found" : count + " found"
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
