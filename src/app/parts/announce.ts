/** One line for what just happened. Screen readers read it out, and the page shows it for a while. */
import { createSignal } from "solid-js"

const [said, setSaid] = createSignal("")
let timer: ReturnType<typeof setTimeout> | undefined

export { said }

export const announce = (sentence: string) => {
  clearTimeout(timer)
  setSaid(sentence)
  timer = setTimeout(() => setSaid(""), 8000)
}
