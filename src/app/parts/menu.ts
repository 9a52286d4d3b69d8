/** Whether a menu is open. It closes when the page goes to another place, also by the browser's own buttons. */
import { createEffect, createSignal, on } from "solid-js"
import { place } from "../Router.ts"

export const createMenu = () => {
  const [open, setOpen] = createSignal(false)
  createEffect(on(place, () => setOpen(false)))
  return { open, setOpen }
}
