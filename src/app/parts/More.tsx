/** The screens that are needed less often, in one menu. */
import * as Menu from "@kobalte/core/dropdown-menu"
import { For } from "solid-js"
import { go, href, screenName } from "../Router.ts"
import { createMenu } from "./menu.ts"

export const More = (props: { readonly screens: ReadonlyArray<{ readonly name: string; readonly title: string }> }) => {
  const isHere = () => props.screens.some(({ name }) => name === screenName())
  const { open, setOpen } = createMenu()
  return (
    <Menu.Root open={open()} onOpenChange={setOpen}>
      <Menu.Trigger class="more" data-here={isHere() ? "" : undefined}>
        {props.screens.find(({ name }) => name === screenName())?.title ?? "More"} <span aria-hidden="true">▾</span>
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Content class="menu" aria-label="More screens">
          <For each={props.screens}>
            {({ name, title }) => (
              <Menu.Item class="menu-item" onSelect={() => go(href([name]))}>
                {title}
              </Menu.Item>
            )}
          </For>
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  )
}
