/** HTML as a tagged template. Values are escaped, unless they are HTML already. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Part = string | number | Html | undefined | ReadonlyArray<Part>

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "'": "&#39;" }

const escape = (text: string) => text.replace(/[&<>"']/g, (character) => entities[character] ?? character)

const render = (part: Part): string =>
  part === undefined
    ? ""
    : part instanceof Html
    ? part.text
    : typeof part === "object"
    ? part.map(render).join("")
    : escape(String(part))

export const html = (strings: TemplateStringsArray, ...parts: ReadonlyArray<Part>) =>
  new Html(strings.reduce((text, next, i) => text + render(parts[i - 1]) + next))

export const join = (parts: ReadonlyArray<Html>, separator: string) =>
  new Html(parts.map(({ text }) => text).join(escape(separator)))

/** Text, with the words in backquotes as code. */
export const prose = (text: string | undefined) => new Html(escape(text ?? "").replace(/`([^`]+)`/g, "<code>$1</code>"))
