/** Whether a menu is open. It closes when the browser goes to another place, by its own buttons or by a link. */
import { createSignal, onCleanup } from "solid-js"

export const createMenu = () => {
  const [open, setOpen] = createSignal(false)
  // Not with every new address: a screen completes its own while it loads, which is no reason to close a menu.
  const close = () => setOpen(false)
  addEventListener("popstate", close)
  onCleanup(() => removeEventListener("popstate", close))
  return { open, setOpen }
}
