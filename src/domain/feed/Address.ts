/**
 * The addresses that webhooks may be sent to. Otherwise anybody who registers a webhook could have the server call what
 * only the server reaches: other services of its machine, its own network, the metadata of a cloud.
 *
 * A Worker cannot resolve names. So only the text of an address is judged: a public name that resolves to a private
 * address passes. On Cloudflare such a request reaches nothing, and workerd refuses it unless it is configured to allow
 * it.
 */

/** The longest address, in characters. */
export const MaxUrl = 2048

/**
 * The first bits of IPv4 addresses that are not public, with how many of them count (IANA's registry of special
 * purposes).
 */
const special: ReadonlyArray<readonly [network: string, bits: number]> = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4]
]

const numberOf = (address: string): number => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0)

const isPublicV4 = (address: string): boolean =>
  !special.some(([network, bits]) => {
    const size = 2 ** (32 - bits)
    return Math.floor(numberOf(address) / size) === Math.floor(numberOf(network) / size)
  })

const groups = (text: string) => text === "" ? [] : text.split(":").map((group) => parseInt(group, 16))

/** The groups of an IPv6 address as `URL` writes it: with `::` for zeros, and without an IPv4 address in it. */
const groupsOf = (address: string): ReadonlyArray<number> => {
  const [head = "", tail] = address.split("::")
  const first = groups(head)
  const last = tail === undefined ? [] : groups(tail)
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last]
}

/**
 * Whether the address is global unicast (2000::/3). That leaves out loopback, link-local, unique local and multicast
 * addresses, and those that contain an IPv4 address: mapped ones and those of NAT64. Within it, Teredo and other
 * special purposes (2001::/23), 6to4 (2002::/16) and documentation (2001:db8::/32, 3fff::/20) are left out.
 */
const isPublicV6 = (address: string): boolean => {
  const [first = 0, second = 0] = groupsOf(address)
  return first >= 0x2000 && first <= 0x3fff && first !== 0x2002 &&
    !(first === 0x2001 && (second < 0x200 || second === 0xdb8))
    && !(first === 0x3fff && second < 0x1000)
}

// Names that no public DNS has, or that each network resolves for itself: those of clusters too (`api.default.svc`,
// `x.service.consul`).
const privateName =
  /(^|\.)(localhost|localdomain|local|internal|intranet|private|corp|home|lan|home\.arpa|test|invalid|onion|alt|svc|pod|cluster|kubernetes|default|consul|nomad|docker|mesh|workgroup|domain)$/

/**
 * Below 1024 are the services of the system: mail, shells, directories. Receivers of webhooks have 443 or a high port.
 */
const isPort = (port: string): boolean => port === "" || Number(port) >= 1024

/** Why no webhook may be sent to the address, in words that follow its name; undefined if one may. */
export const refusalOf = (text: string, allowPrivate: boolean): string | undefined => {
  if (text.length > MaxUrl) return `is longer than ${MaxUrl} characters`
  if (!URL.canParse(text)) return "is no URL"
  const url = new URL(text)
  if (url.protocol !== "https:" && !(allowPrivate && url.protocol === "http:")) return "does not begin with https://"
  if (url.username !== "" || url.password !== "") return "contains a user name or a password"
  if (allowPrivate) return undefined
  if (!isPort(url.port)) return "has a port below 1024 that is not 443"
  // `URL` writes an IPv4 address in its usual form, however it was spelled: 2130706433, 0x7f.1 and 127.0.0.1 are one.
  const host = url.hostname.toLowerCase().replace(/\.$/, "")
  if (host.startsWith("[")) return isPublicV6(host.slice(1, -1)) ? undefined : "is no public address"
  if (/^[\d.]+$/.test(host)) return isPublicV4(host) ? undefined : "is no public address"
  return !host.includes(".") || privateName.test(host) ? "is no public name" : undefined
}
