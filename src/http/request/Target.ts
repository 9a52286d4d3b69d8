/** The path and the query of a request. */

/**
 * The path and query as the router and the endpoints read them. Over a socket, workerd passes a path on as it is
 * written: with `..`, backslashes and double slashes, which the URL standard resolves. Only after that do `/api/..` and
 * `/` match the same route. `//x` and `/\x` would name a host, so the slashes come first. `;` is escaped: the router
 * would read it as `?`. Of a repeated parameter the first counts. An empty parameter counts as absent.
 */
export const normalize = (url: string): { readonly path: string; readonly url: string } => {
  const [written = "", ...query] = url.split("?")
  const path = new URL(written.replace(/[/\\]+/g, "/"), "http://server").pathname.replaceAll(";", "%3B")
  if (query.length === 0) return { path, url: path }
  const kept = new Map(Array.from(new URLSearchParams(query.join("?"))).toReversed())
  return { path, url: `${path}?${new URLSearchParams(Array.from(kept).filter(([, value]) => value !== ""))}` }
}
