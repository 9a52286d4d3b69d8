import * as Layer from "effect/Layer"
export const DocsLayer = Layer.empty
