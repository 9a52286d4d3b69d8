/** Keys that do something on a screen. `?` lists them. A setting turns them off, as WCAG 2.1.4 asks for. */
import { createSignal, onCleanup } from "solid-js"

export interface Key {
  readonly key: string
  readonly does: string
  readonly run: () => void
}

const Off = "octopoid.keys.off"
const [active, setActive] = createSignal<ReadonlyArray<Key>>([])
const [isOff, setIsOff] = createSignal(localStorage.getItem(Off) !== null)

export { active as activeKeys, isOff as keysAreOff }

export const turnKeys = (on: boolean) => {
  setIsOff(!on)
  if (on) localStorage.removeItem(Off)
  else localStorage.setItem(Off, "1")
}

/** Adds keys as long as the part that calls this is on the page. */
export const useKeys = (keys: ReadonlyArray<Key>) => {
  setActive((before) => [...before, ...keys])
  onCleanup(() => setActive((before) => before.filter((key) => !keys.includes(key))))
}

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

/** Listens to the keyboard. Belongs into the root of the page. */
export const listen = () => {
  addEventListener("keydown", (event) => {
    if (isOff() || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    if (isTyping(event.target) || document.querySelector("[role=dialog],[role=alertdialog],[role=menu]") !== null) {
      return
    }
    // The last one to come wins: it belongs to the innermost part.
    const found = active().findLast(({ key }) => key === event.key)
    if (found === undefined) return
    event.preventDefault()
    found.run()
  })
}
