/** A task in a diagram: a link with its title and its state. */
import { href } from "../../Router.ts"
import { StateIcon } from "../Basics.tsx"
import { toneOf, words } from "../words.ts"

export interface Node {
  readonly task_id: string
  readonly title: string | null
  readonly queue: string | null
  readonly claimed_by: string | null
}

/** The size of a task in a diagram, in pixels. */
export const TaskSize = { width: 232, height: 66 }

export const TaskNode = (props: {
  readonly node: Node | undefined
  readonly id: string
  readonly isMain?: boolean
  readonly isHere?: boolean
  readonly more?: string | undefined
}) => {
  const queue = () => props.node?.queue ?? null
  const tone = () => queue() === null ? "other" : toneOf(queue()!)
  return (
    <a
      class="node"
      href={href(["task", props.id])}
      data-tone={tone()}
      data-main={props.isMain === true ? "" : undefined}
      data-past={queue() === "done" ? "" : undefined}
      data-absent={queue() === null ? "" : undefined}
      aria-current={props.isHere === true ? "true" : undefined}
      title={props.node?.title ?? props.id}
    >
      <StateIcon tone={tone()} />
      <strong>{props.node?.title || props.id}</strong>
      <span class="quiet">
        {queue() === null ? "does not exist yet" : words(queue()!)}
        {props.node?.claimed_by == null ? "" : ` · ${props.node.claimed_by}`}
        {props.more === undefined ? "" : ` · ${props.more}`}
      </span>
    </a>
  )
}
