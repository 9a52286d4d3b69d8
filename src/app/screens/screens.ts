/** The screens. Each is loaded when it is opened first. */
import { type Component, lazy } from "solid-js"

export interface Screen {
  /** The first part of its address. */
  readonly name: string
  readonly title: string
  readonly load: Component & { readonly preload: () => Promise<unknown> }
  /** Whether the navigation has a link to it. Others are reached from a record. */
  readonly listed: boolean
}

const screen = (
  name: string,
  title: string,
  load: () => Promise<{ readonly default: Component }>,
  listed = true
): Screen => ({
  name,
  title,
  load: lazy(load as () => Promise<{ default: Component }>),
  listed
})

export const screens: ReadonlyArray<Screen> = [
  screen("night", "Night", () => import("./night/Night.tsx")),
  screen("inbox", "Inbox", () => import("./inbox/Inbox.tsx")),
  screen("now", "Now", () => import("./now/Now.tsx"))
]
