/** Origins of web pages, as browsers send them, and as an attacker may write them. */

/** Pages that another machine serves, or nobody knows who. */
export const foreignOrigins = [
  "https://evil.example",
  "http://evil.example:8787",
  // A page in a sandbox, from a file, or after a redirect.
  "null",
  "NULL",
  "http://localhost.evil.example",
  "http://127.0.0.1.evil.example",
  "http://evil-localhost",
  "http://localhost@evil.example",
  "http://evil.example#localhost",
  "http://evil.example?http://localhost",
  "http://localhost, http://evil.example",
  "http://evil.example, http://localhost",
  "http://localhost/",
  "http://user@localhost",
  "http://2130706433",
  "http://0177.0.0.1",
  "http://127.1",
  "http://0.0.0.0:8787",
  "http://[::ffff:7f00:1]",
  "http://[::2]:3000",
  "http://128.0.0.1",
  "http://192.168.0.7",
  "chrome-extension://abcdefghijklmnop",
  "file://",
  "data:text/html,x",
  "ws://localhost",
  "localhost",
  "//localhost",
  "https://xn--lcalhost-54a",
  "x"
] as const

/** Pages that the same machine serves, as during development. */
export const loopbackOrigins = [
  "http://localhost",
  "http://localhost:5173",
  "https://localhost:8443",
  "http://LOCALHOST:3000",
  "http://localhost.:3000",
  "http://app.localhost:3000",
  "http://127.0.0.1",
  "http://127.0.0.1:3000",
  "http://127.255.255.254:3000",
  "http://[::1]",
  "http://[::1]:3000"
] as const
