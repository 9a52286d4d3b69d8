/** The failure of a test in one line: the commands a counterexample ends with, and what was found out. */

const MaxLength = 150
const MaxCommands = 4

/** The commands of a counterexample, as their names. */
const commandsOf = (text: string): ReadonlyArray<string> =>
  [...(/^Shrunk input: (.*?)^Failure: /ms.exec(text)?.[1] ?? "").matchAll(/"_tag": "(\w+)"/g)].map(([, tag]) => tag!)

const messageOf = (text: string): string => {
  const [line = ""] = (/^Failure: (.*)/ms.exec(text)?.[1] ?? text).split("\n")
  return line.replace(/^(\w*Error: )+/, "").replace(/: expected [[{].*$/, "").replace(/^(\w+: )?\{.*\}: /, "$1")
}

/** A text as it fits into a table. */
export const shortened = (text: string): string => text.length > MaxLength ? `${text.slice(0, MaxLength)}…` : text

export const reasonOf = (text: string): string => {
  const commands = commandsOf(text)
  const ending = commands.slice(-MaxCommands).join(", ")
  const way = commands.length === 0 ? "" : `${commands.length > MaxCommands ? "… " : ""}${ending}: `
  return shortened(`${way}${messageOf(text)}`)
}
