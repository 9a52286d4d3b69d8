/**
 * How fast the page at `/app/` is there, on a phone as Lighthouse imitates one: 1.6 Mbit/s, 150 ms a round trip, a processor four times as
 * slow. `node bench/page.ts [runs]` needs Debian's chromium. Bodies come compressed, as Cloudflare sends them.
 */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { chromium } from "playwright-core"
import * as Night from "../scripts/demo/Night.ts"
import * as client from "../src/client.ts"
import { browserAt, InstallBrowser } from "../test/app/support/browser.ts"
import { launchSite } from "../test/app/support/site.ts"

const median = (all: ReadonlyArray<number>) => Math.round(all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)]!)

const runs = Number(process.argv[2] ?? 5)
if (browserAt === undefined) throw new Error(InstallBrowser)

const storage = mkdtempSync(join(tmpdir(), "page-"))
const running = await launchSite({ storage, env: {} })
const compressing = createServer(async ({ headers, url }, response) => {
  const { accept, "if-none-match": tag } = headers
  const answer = await fetch(new URL(url!, running.site), {
    headers: { ...(accept === undefined ? {} : { accept }), ...(tag === undefined ? {} : { "if-none-match": tag }) }
  })
  const body = gzipSync(new Uint8Array(await answer.arrayBuffer()))
  const kept = [...answer.headers].filter(([name]) =>
    !/^(content-length|transfer-encoding|content-encoding)$/.test(name)
  )
  response.writeHead(answer.status, { ...Object.fromEntries(kept), "content-encoding": "gzip" }).end(body)
}).listen(0, "127.0.0.1")
await new Promise((done) => compressing.once("listening", done))
const { port } = compressing.address() as { readonly port: number }

try {
  const api = await Effect.runPromise(
    client.make({ baseUrl: running.site.href, scope: "default" }).pipe(Effect.provide(FetchHttpClient.layer))
  )
  await Effect.runPromise(Night.play(api, {
    seed: 1,
    tasks: 100,
    machines: 4,
    projects: 4,
    name: "page",
    leaseSeconds: 2,
    wait: (seconds) => Effect.sleep(seconds * 1000),
    say: () => {}
  }))
  const browser = await chromium.launch({ executablePath: browserAt, args: ["--no-sandbox"] })
  for (const screen of ["night", "inbox", "now"]) {
    const shown: Array<number> = []
    const ready: Array<number> = []
    let bytes = 0
    for (let run = 0; run < runs; run++) {
      const context = await browser.newContext({ viewport: { width: 412, height: 823 }, deviceScaleFactor: 2 })
      const page = await context.newPage()
      const session = await context.newCDPSession(page)
      await session.send("Network.enable")
      await session.send("Network.emulateNetworkConditions", {
        offline: false,
        latency: 150,
        downloadThroughput: 1_600_000 / 8,
        uploadThroughput: 750_000 / 8
      })
      await session.send("Emulation.setCPUThrottlingRate", { rate: 4 })
      bytes = 0
      session.on("Network.loadingFinished", ({ encodedDataLength }) => {
        bytes += encodedDataLength
      })
      await page.goto(`http://127.0.0.1:${port}/app/#/${screen}`, { waitUntil: "commit" })
      // The frame is there and answers to clicks and keys; then the screen has its data.
      await page.locator("nav a").first().waitFor()
      shown.push(await page.evaluate("performance.now()") as number)
      await page.locator("h1").first().waitFor()
      await page.locator("[data-row], .inbox-list li").first().waitFor()
      ready.push(await page.evaluate("performance.now()") as number)
      await context.close()
    }
    console.log(
      `${screen}: interactive after ${median(shown)} ms, with its data after ${
        median(ready)
      } ms, ${bytes} bytes with all answers`
    )
  }
  await browser.close()
} finally {
  compressing.close()
  await running.close()
  rmSync(storage, { recursive: true, force: true })
}
