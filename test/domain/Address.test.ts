/** Which addresses webhooks are sent to, and which would let a caller reach what only the server reaches. */
import { assert, describe, it } from "@effect/vitest"
import { refusalOf } from "../../src/domain/feed/Address.ts"

const refused = [
  "http://example.com/",
  "ftp://example.com/",
  "file:///etc/passwd",
  "javascript:alert(1)",
  "data:text/plain,x",
  "example.com",
  "//example.com/",
  "",
  "https://",
  "https://user@example.com/",
  "https://user:password@example.com/",
  "https://:password@example.com/",
  "https://localhost/",
  "https://LOCALHOST:8443/",
  "https://localhost./",
  "https://a.localhost/",
  "https://metadata.google.internal/",
  "https://printer.local/",
  "https://printer.local./",
  "https://nas.home.arpa/",
  "https://router.lan/",
  "https://intranet/",
  "https://metadata/",
  "https://x.onion/",
  "https://api.default.svc/",
  "https://api.default.svc.cluster.local/",
  "https://api.default/",
  "https://10-0-0-1.default.pod/",
  "https://vault.service.consul/",
  "https://web.service.nomad/",
  "https://db.mesh/",
  "https://host.docker.internal/",
  "https://example.com:22/",
  "https://example.com:80/",
  "https://example.com:465/",
  "https://example.com:1023/",
  "https://127.0.0.1/",
  "https://127.1/",
  "https://127.0.0.1./",
  "https://127.255.255.254/",
  "https://2130706433/",
  "https://0x7f000001/",
  "https://0x7f.1/",
  "https://0177.0.0.1/",
  "https://017700000001/",
  "https://%31%32%37.0.0.1/",
  "https://１２７.０.０.１/",
  "https://127。0。0。1/",
  "https://0/",
  "https://0.0.0.0/",
  "https://10.0.0.1/",
  "https://10.255.255.255/",
  "https://167772161/",
  "https://100.64.0.1/",
  "https://100.127.255.255/",
  "https://169.254.169.254/latest/meta-data/",
  "https://0xa9fea9fe/",
  "https://172.16.0.1/",
  "https://172.31.255.255/",
  "https://192.0.0.8/",
  "https://192.0.2.1/",
  "https://192.168.1.1/",
  "https://198.18.0.1/",
  "https://198.19.255.255/",
  "https://198.51.100.1/",
  "https://203.0.113.1/",
  "https://224.0.0.1/",
  "https://239.255.255.255/",
  "https://240.0.0.1/",
  "https://255.255.255.255/",
  "https://[::]/",
  "https://[::1]/",
  "https://[0:0:0:0:0:0:0:1]/",
  "https://[::ffff:127.0.0.1]/",
  "https://[::ffff:7f00:1]/",
  "https://[::ffff:10.0.0.1]/",
  "https://[::127.0.0.1]/",
  "https://[64:ff9b::7f00:1]/",
  "https://[64:ff9b:1::a00:1]/",
  "https://[100::1]/",
  "https://[fc00::1]/",
  "https://[fd12:3456:789a::1]/",
  "https://[fe80::1]/",
  "https://[febf::1]/",
  "https://[fec0::1]/",
  "https://[ff02::1]/",
  "https://[2001::1]/",
  "https://[2001:1ff::1]/",
  "https://[2001:db8::1]/",
  "https://[2002:7f00:1::]/",
  "https://[3fff:fff::1]/",
  "https://[4000::1]/",
  `https://example.com/${"x".repeat(2048)}`
]

const allowed = [
  "https://example.com/",
  "https://hooks.slack.com/services/T0/B0/x",
  "https://example.com:8443/hook?key=1#part",
  "https://EXAMPLE.com./",
  "https://example.com:443/",
  "https://example.com:1024/",
  "https://svc.example.com/",
  "https://xn--bcher-kva.example/",
  "https://localhost.example.com/",
  "https://internal.example.com/",
  "https://thelocal.com/",
  "https://1.1.1.1/",
  "https://9.255.255.255/",
  "https://11.0.0.0/",
  "https://100.63.255.255/",
  "https://100.128.0.0/",
  "https://172.15.255.255/",
  "https://172.32.0.0/",
  "https://192.167.255.255/",
  "https://192.169.0.0/",
  "https://223.255.255.255/",
  "https://[2606:4700::1111]/",
  "https://[2001:200::1]/",
  "https://[2a00:1450:4001::]/"
]

describe("the address of a webhook", () => {
  it.each(refused)("is refused: %s", (address) => {
    assert.isDefined(refusalOf(address, false))
  })

  it.each(allowed)("is allowed: %s", (address) => {
    assert.isUndefined(refusalOf(address, false))
  })

  it("may be private, and without TLS, if the operator allows it", () => {
    for (const address of ["http://127.0.0.1:9/", "http://[::1]/", "https://printer.local/", "http://intranet/"]) {
      assert.isUndefined(refusalOf(address, true))
    }
    for (const address of ["file:///etc/passwd", "http://user:password@127.0.0.1/", "nothing"]) {
      assert.isDefined(refusalOf(address, true))
    }
  })
})
