/** Whether a menu is open. It closes when the browser goes to another place, by its own buttons or by a link. */
import { createSignal, onCleanup } from "solid-js"

export const createMenu = () => {
  const [open, setOpen] = createSignal(false)
  // A new address alone does not close the menu: a screen completes its own address while it loads.
  const close = () => setOpen(false)
  addEventListener("popstate", close)
  onCleanup(() => removeEventListener("popstate", close))
  return { open, setOpen }
}
