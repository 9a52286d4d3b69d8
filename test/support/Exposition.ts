/**
 * A strict reader of the text format of Prometheus, version 0.0.4, with the rules of `promtool check metrics`. It throws at the
 * first line that is not as it should be.
 */

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: ReadonlyArray<Sample>
}

const metric = "[a-zA-Z_:][a-zA-Z0-9_:]*"
const helpLine = new RegExp(`^# HELP (${metric}) ((?:[^\\\\\\n]|\\\\\\\\|\\\\n)+)$`)
const typeLine = new RegExp(`^# TYPE (${metric}) (counter|gauge|histogram|summary|untyped)$`)
const sampleLine = new RegExp(`^(${metric})(?:\\{(.+)\\})? (\\S+)$`)
const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,(?=[a-zA-Z_])|$)/
const number = /^[+-]?(\d+(\.\d+)?(e[+-]?\d+)?|Inf|NaN)$/i

const unescaped = (text: string) => text.replace(/\\([\\"n])/g, (_, one: string) => one === "n" ? "\n" : one)

const fail = (why: string, line: string): never => {
  throw new Error(`${why}: ${JSON.stringify(line)}`)
}

const labelsOf = (text: string, line: string) => {
  const labels: Record<string, string> = {}
  for (let rest = text; rest !== "";) {
    const [found, name = "", value = ""] = label.exec(rest) ?? fail("labels cannot be read", line)
    if (name in labels || name.startsWith("__")) fail("a label is there twice or reserved", line)
    labels[name] = unescaped(value)
    rest = rest.slice(found.length)
  }
  return labels
}

const lint = ({ help, name, samples, type }: Family) => {
  if (help.trim() === "") fail("no help", name)
  if ((type === "counter") !== name.endsWith("_total")) fail("counters, and only they, end in _total", name)
  if (/_(count|sum|bucket|info|minutes|hours|milliseconds|kilobytes)(_|$)/.test(name)) fail("a suffix or unit", name)
  const series = samples.map(({ labels }) => JSON.stringify(Object.entries(labels).sort()))
  if (new Set(series).size !== series.length) fail("a series is there twice", name)
  if (type === "counter" && samples.some(({ value }) => !(value >= 0))) fail("a counter below 0", name)
}

/** The families of the text, in order. */
export const parse = (text: string): ReadonlyArray<Family> => {
  if (!text.endsWith("\n")) fail("no line end at the end", text.slice(-50))
  const families: Array<{ name: string; type: string; help: string; samples: Array<Sample> }> = []
  const lines = text.slice(0, -1).split("\n")
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!
    if (line.startsWith("#")) {
      const [, name, help] = helpLine.exec(line) ?? fail("no HELP", line)
      const [, typed, type] = typeLine.exec(lines[++i] ?? "") ?? fail("no TYPE after HELP", line)
      if (name !== typed || families.some((family) => family.name === name)) fail("a family is there twice", line)
      families.push({ name: name!, type: type!, help: unescaped(help!), samples: [] })
      continue
    }
    const [, name, labels = "", value] = sampleLine.exec(line) ?? fail("no sample", line)
    const family = families.at(-1)
    if (family === undefined || family.name !== name) return fail("a sample outside of its family", line)
    if (!number.test(value!)) fail("no number", line)
    family.samples.push({ name, labels: labelsOf(labels, line), value: Number(value) })
  }
  families.forEach(lint)
  return families
}
