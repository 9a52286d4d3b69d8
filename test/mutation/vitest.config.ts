import { defineConfig, mergeConfig } from "vitest/config"
import config from "../../vitest.config.ts"

// `npm run mutate` runs two of these at a time: more would only be in each other's way.
export default mergeConfig(
  config,
  defineConfig({
    cacheDir: ".vite",
    test: { bail: 1, maxWorkers: 1, fileParallelism: false }
  })
)
