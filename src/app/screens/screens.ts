/** The screens. Each is loaded when it is opened first. */
import { type Component, lazy } from "solid-js"

export interface Screen {
  /** The first part of its address. */
  readonly name: string
  readonly title: string
  readonly load: Component & { readonly preload: () => Promise<unknown> }
  /** Whether the navigation has a link to it, or its menu has. Others are reached from a record. */
  readonly listed: boolean | "more"
}

const screen = (
  name: string,
  title: string,
  load: () => Promise<{ readonly default: Component }>,
  listed: boolean | "more" = true
): Screen => ({
  name,
  title,
  load: lazy(load as () => Promise<{ default: Component }>),
  listed
})

export const screens: ReadonlyArray<Screen> = [
  screen("night", "Night", () => import("./night/Night.tsx")),
  screen("inbox", "Inbox", () => import("./inbox/Inbox.tsx")),
  screen("now", "Now", () => import("./now/Now.tsx")),
  screen("projects", "Projects", () => import("./project/Projects.tsx")),
  screen("drafts", "Drafts", () => import("./drafts/Drafts.tsx"), "more"),
  screen("usage", "Usage", () => import("./usage/Usage.tsx"), "more"),
  screen("flows", "Flows", () => import("./flows/Flows.tsx"), "more"),
  screen("webhooks", "Webhooks", () => import("./webhooks/Webhooks.tsx"), "more"),
  screen("keys", "Keys", () => import("./keys/Keys.tsx"), "more"),
  screen("task", "Task", () => import("./task/Task.tsx"), false)
]
