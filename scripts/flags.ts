/** What a script is told on its command line. What does not fit ends it with one line, the usage, and exit code 2. */
import { parseArgs, type ParseArgsOptionsConfig } from "node:util"

export const make = (usage: string) => {
  const refuse = (why: string): never => {
    console.error(`${why}\nUsage: ${usage}`)
    process.exit(2)
  }
  return {
    refuse,
    /** The values of the options, and up to `most` arguments that are no options. */
    parse: <const T extends ParseArgsOptionsConfig>(options: T, most = 0) => {
      if (process.argv.includes("--help")) {
        console.log(`Usage: ${usage}`)
        process.exit(0)
      }
      try {
        const { positionals, values } = parseArgs({ options, allowPositionals: most > 0 })
        if (positionals.length > most) refuse(`Unexpected argument '${positionals[most]}'`)
        return { ...values, positionals }
      } catch (error) {
        // Node goes on to explain how an argument that begins with a dash may be given all the same.
        return refuse(error instanceof Error ? error.message.split(". ")[0]! : String(error))
      }
    },
    /** A whole number of at least `least`. */
    whole: (name: string, text: string, least = 0): number =>
      /^\d{1,9}$/.test(text) && Number(text) >= least
        ? Number(text)
        : refuse(`--${name} is a whole number of at least ${least}, not ${text}.`)
  }
}
