/**
 * The types of a client, by openapi-typescript. It needs TypeScript as a library, which TypeScript 7 is not, so it gets the
 * TypeScript 5 that @ts-morph/common carries.
 */
import { registerHooks } from "node:module"

const library = "data:text/javascript,import common from '@ts-morph/common';export default common.ts"

export const typesOf = async (document: string): Promise<string> => {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "typescript" && context.parentURL?.includes("/openapi-typescript/") === true
        ? { url: library, format: "module", shortCircuit: true }
        : specifier === "@ts-morph/common"
        ? next(specifier, { ...context, parentURL: import.meta.url })
        : next(specifier, context)
  })
  try {
    const { astToString, default: generate } = await import("openapi-typescript")
    return astToString(await generate(document))
  } finally {
    hooks.deregister()
  }
}
