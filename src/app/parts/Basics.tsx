/** The small pieces of every screen. */
import { type JSX, Show, splitProps } from "solid-js"
import { now } from "../api/live.ts"
import { href } from "../Router.ts"
import { announce } from "./announce.ts"
import { exact, safeAddress, span, type Tone, toneOf, words } from "./words.ts"

const icons: Record<Tone, string> = {
  ready: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Z",
  held: "M5 3.5v9l7-4.5z",
  review:
    "M1.5 8s2.5-4.5 6.5-4.5S14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8Zm6.5 1.7a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4Z",
  done: "m3 8.5 3.2 3.2L13 4.8",
  failed: "m4 4 8 8m0-8-8 8",
  rejected: "M6 3 2.5 6.5 6 10M2.5 6.5H10a3.5 3.5 0 0 1 0 7H7",
  lost:
    "M6.5 9.5 4.8 11.2a2.4 2.4 0 0 1-3.4-3.4l1.7-1.7M9.5 6.5l1.7-1.7a2.4 2.4 0 1 1 3.4 3.4l-1.7 1.7M5 3l1 1.5M3 5l1.5 1M13 11l-1.5-1M11 13l-1-1.5",
  waiting: "M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8ZM8 4.8V8l2.2 1.6",
  cancelled: "M3 8h10",
  other: "M8 7.9v.2"
}

/** The icon of a state. The words beside it say the same, so readers of the screen skip it. */
export const StateIcon = (props: { readonly tone: Tone }) => (
  <svg class="icon" data-tone={props.tone} viewBox="0 0 16 16" aria-hidden="true">
    <path d={icons[props.tone]} />
  </svg>
)

/** A queue, an event or the status of a machine. */
export const State = (props: { readonly state: string; readonly words?: string }) => (
  <span class="state" data-tone={toneOf(props.state)}>
    <StateIcon tone={toneOf(props.state)} />
    {props.words ?? words(props.state)}
  </span>
)

/** How long ago, or how long until; the exact time when pointed at. */
export const Ago = (props: { readonly at: string | null | undefined; readonly bare?: boolean }) => (
  <Show when={props.at} fallback={<span class="quiet">–</span>}>
    {(at) => {
      const distance = () => Math.max(now(), Date.now()) - Date.parse(at())
      return (
        <time dateTime={at()} title={exact(at())}>
          {props.bare === true
            ? span(distance())
            : distance() < -1000
            ? `in ${span(distance())}`
            : distance() < 5000
            ? "just now"
            : `${span(distance())} ago`}
        </time>
      )
    }}
  </Show>
)

/** The time that is left until an instant. */
export const Left = (props: { readonly at: string }) => {
  const left = () => Date.parse(props.at) - Math.max(now(), Date.now())
  return (
    <time dateTime={props.at} title={exact(props.at)} classList={{ warn: left() < 60_000 }}>
      {left() > 0 ? `${span(left())} left` : `over since ${span(left())}`}
    </time>
  )
}

export const TaskLink = (props: { readonly id: string; readonly title?: string | null | undefined }) => (
  <a class="task" href={href(["task", props.id])}>{props.title || props.id}</a>
)

/** A link if the text is a web address, and else the text. */
export const Address = (props: { readonly to: string | null | undefined; readonly children?: JSX.Element }) => (
  <Show when={safeAddress(props.to)} fallback={props.children ?? props.to}>
    {(to) => <a href={to()} target="_blank" rel="noopener noreferrer">{props.children ?? to()}</a>}
  </Show>
)

/** What an empty list says: that it is, and what to do next. */
export const Empty = (
  props: { readonly title: string; readonly heading?: boolean; readonly children?: JSX.Element }
) => (
  <div class="empty">
    <Show
      when={props.heading}
      fallback={
        <p>
          <strong>{props.title}</strong>
        </p>
      }
    >
      <h1>{props.title}</h1>
    </Show>
    <p>{props.children}</p>
  </div>
)

/** The sentence with which the server refused. */
export const Refusal = (props: { readonly sentence: string | undefined }) => (
  <div role="alert">
    <Show when={props.sentence}>
      <p class="refusal">
        <StateIcon tone="failed" />
        {props.sentence}
      </p>
    </Show>
  </div>
)

/** A name and its value, left out if there is no value. */
export const Fact = (props: { readonly name: string; readonly children: JSX.Element }) => (
  <Show when={props.children != null && props.children !== ""}>
    <div class="fact">
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  </Show>
)

/** A text as its author wrote it, never as HTML. */
export const Prose = (props: { readonly text: string }) => <pre class="prose" tabindex="0">{props.text}</pre>

export const Button = (
  props: JSX.ButtonHTMLAttributes<HTMLButtonElement> & {
    readonly keys?: string
    readonly kind?: "primary" | "danger" | "plain"
  }
) => {
  const [own, rest] = splitProps(props, ["keys", "kind", "children"])
  return (
    <button type="button" class="button" data-kind={own.kind ?? "usual"} aria-keyshortcuts={own.keys} {...rest}>
      {own.children}
      <Show when={own.keys}>
        <kbd aria-hidden="true">{own.keys}</kbd>
      </Show>
    </button>
  )
}

/** A button that copies a text. */
export const Copy = (props: { readonly text: string; readonly what: string }) => (
  <button
    type="button"
    class="copy"
    title={`Copy ${props.what}`}
    onClick={async () => {
      await navigator.clipboard.writeText(props.text)
      announce(`Copied ${props.what}.`)
    }}
  >
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d="M6 5.5h7.5V14H6zM10.5 5.5V2.5h-8V10H6" />
    </svg>
    <span class="unseen">Copy {props.what}</span>
  </button>
)
