import { defineConfig } from "vitest/config"

// The mutation check runs two of these at a time: more would only be in each other's way. Each file gets modules of its own, because
// a planted fault may leave anything behind. Properties draw all of their cases.
export default defineConfig({
  cacheDir: ".vite",
  test: {
    provide: { fast: false },
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/onceBuilt.ts"],
    setupFiles: ["test/support/seed.ts"],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    bail: 1,
    maxWorkers: 1,
    fileParallelism: false
  }
})
