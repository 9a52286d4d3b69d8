/** Faults in who reaches the server: web pages of other origins, host names, and settings that open it. */
import type { Fault } from "../Fault.ts"

export const pages: ReadonlyArray<Fault> = [
  {
    name: "any-page-writes",
    breaks: "A page of another origin may not call an open server.",
    symbol: "Origin.make",
    find: "if (mayPage(request, url)) return undefined",
    replace: "if (mayPage(request, url) || open) return undefined"
  },
  {
    name: "star-names-all",
    breaks: "On an open server `*` in CORS_ORIGINS names no origin.",
    symbol: "Origin.make",
    find: "const any = !open && corsOrigins",
    replace: "const any = corsOrigins"
  },
  {
    name: "cors-only-reads",
    breaks: "A page that CORS_ORIGINS does not name may not write to a server with a secret.",
    symbol: "Origin.make",
    find: "return reads.has(request.method) ? undefined : OriginNotAllowed.write()",
    replace: "return undefined"
  },
  {
    name: "origin-unparsed",
    breaks: "A name that only begins with a loopback name is no loopback name.",
    symbol: "isLocalhost",
    find: "/^(.+\\.)?localhost$/",
    replace: "/^(.+\\.)?localhost/"
  },
  {
    name: "origin-spelled-anyhow",
    breaks: "The server takes no origin for another that it only resembles.",
    symbol: "Origin.parse",
    find: "return url.origin === origin.toLowerCase() ? url : undefined",
    replace: "return url"
  },
  {
    name: "site-ignored",
    breaks: "Sec-Fetch-Site counts if a browser sends no Origin.",
    symbol: "Origin.make",
    find: "/^(cross-site|same-site)$/i",
    replace: "/^cross-site-only$/i"
  },
  {
    name: "any-host",
    breaks: "A local server does not answer under a foreign name that resolves to it.",
    symbol: "Origin.make",
    find: "if (local && ",
    replace: "if (local && open && apiSecretKey !== undefined && "
  },
  {
    name: "empty-opens",
    breaks: "An empty API_SECRET_KEY does not open the server.",
    file: "src/services/Settings.ts",
    find: "{ preserveEmptyStrings: true }",
    replace: "{}"
  },
  {
    name: "binding-opens",
    breaks: "A secret that is not text does not count as absent.",
    file: "src/services/Settings.ts",
    find: "isText(value) ? value : NotText",
    replace: "value"
  }
]
