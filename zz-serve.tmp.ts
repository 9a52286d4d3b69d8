import { build } from "./test/support/Bundle.ts"
import { launch } from "./test/support/Launcher.ts"
const s = await launch({ code: await build(), storage: "/tmp/i2night/store" })
console.log(String(s.base))
process.on("SIGTERM", async () => {
  await s.close()
  process.exit(0)
})
setInterval(() => {}, 1000)
