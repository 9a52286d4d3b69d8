/** Whether a browser asks at `/`. */

/** The weight of a media type in `Accept`, if the header names it. Browsers name `text/html`, programs do not. */
const weight = (accept: string, type: string): number => {
  for (const part of accept.toLowerCase().split(",")) {
    const [name, ...parameters] = part.split(";").map((text) => text.trim())
    if (name !== type) continue
    const q = parameters.find((parameter) => parameter.startsWith("q="))
    return q === undefined ? 1 : Number(q.slice(2)) || 0
  }
  return 0
}

/** Whether the client prefers a page to JSON. */
export const prefersPage = (accept: string | undefined): boolean => {
  const page = weight(accept ?? "", "text/html")
  return page > 0 && page >= weight(accept ?? "", "application/json")
}
