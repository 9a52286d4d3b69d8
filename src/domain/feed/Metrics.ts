/** Metrics in the text format of Prometheus, version 0.0.4. */

/** How many scopes an answer has. The administrator of more sees the first by name. */
export const MaxScopes = 200

/** How far ready tasks and overdue leases of a scope are counted. */
export const MaxReady = 100

/** How far leases of a scope are counted. */
export const MaxLeases = 500

/** How many webhooks have samples: all of 25 scopes at least. */
export const MaxHooks = 500

export const ContentType = "text/plain; version=0.0.4; charset=utf-8"

export type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly labels: Labels
  readonly value: number
}

/** Everything with one name: what it means, and its values. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: "counter" | "gauge"
  readonly samples: ReadonlyArray<Sample>
}

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\"": "\\\"" }

const labelled = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(([name, value]) =>
    `${name}="${value.replace(/[\\\n"]/g, (character) => escapes[character]!)}"`
  )
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`
}

/** The families as the text that Prometheus reads. */
export const exposition = (families: ReadonlyArray<Family>): string =>
  families.map(({ help, name, samples, type }) =>
    [
      `# HELP ${name} ${help.replace(/[\\\n]/g, (character) => escapes[character]!)}`,
      `# TYPE ${name} ${type}`,
      ...samples.map(({ labels, value }) => `${name}${labelled(labels)} ${value}`),
      ""
    ].join("\n")
  ).join("")
