/** The page at `/app/` (`src/app/`). `npx vite` serves it while it is worked on, before a server at http://localhost:8787. */
import { defineConfig } from "vite"
import solid from "vite-plugin-solid"

const server = process.env["OCTOPOID_URL"] || "http://localhost:8787"

export default defineConfig(({ command }) => ({
  root: "src/app",
  // Relative, for a server behind the prefix of a proxy.
  base: command === "build" ? "./" : "/app/",
  plugins: [solid()],
  build: {
    outDir: "../../dist-app/app",
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: { checks: { pluginTimings: false } }
  },
  server: {
    proxy: { "/api": { target: server, ws: true }, "/metrics": server, "/docs": server, "/favicon.ico": server }
  }
}))
