/** Faults of the Worker on Durable Objects: alarms, claims and sockets that wait, and objects that end. The simulator on objects has to find them. */
import type { Fault } from "../Fault.ts"

const engine = "objects"

export const objects: ReadonlyArray<Fault> = [
  {
    name: "missing-alarm-stays-missing",
    breaks: "The next request sets the alarm again if the platform has dropped it.",
    engine,
    symbol: "Alarm.make",
    find: "if (now < at + Minute && at !== Infinity) return",
    replace: "if (now < at + Minute || at === Infinity) return"
  },
  {
    name: "alarm-for-latest-lease",
    breaks: "The alarm of an object is set for the earliest of its leases.",
    engine,
    symbol: "Alarm.earliest",
    find: "ORDER BY lease_expires_at LIMIT 1",
    replace: "ORDER BY lease_expires_at DESC LIMIT 1"
  },
  {
    name: "alarm-without-backoff",
    breaks: "The alarm of an object is set for the end of a backoff.",
    engine,
    symbol: "Alarm.earliest",
    find: "AND available_at IS NOT NULL AND available_at > ?2",
    replace: "AND available_at IS NULL AND available_at > ?2"
  },
  {
    name: "alarm-behind-failed-duty",
    breaks: "A duty that could not be done delays nothing that is due before it is tried again.",
    engine,
    symbol: "Alarm.make",
    find: "Math.min(now + Minute, dueAfter(now))",
    replace: "now + Minute"
  },
  {
    name: "evicted-claim-unanswered",
    breaks: "A request is answered if its object ends, also a claim that waits.",
    engine,
    symbol: "Front.make",
    find: "return unavailable(request.method, request.headers.has(\"idempotency-key\"))",
    replace: "return new Promise<Response>(() => {})"
  },
  {
    name: "line-not-told-of-change",
    breaks: "A claim that waits gets a task as soon as one is ready for it.",
    engine,
    symbol: "Home.make",
    find: "alarm?.changed()\n      if (mayBeReady) line.changed()",
    replace: "alarm?.changed()"
  },
  {
    name: "place-of-socket-not-kept",
    breaks: "A socket gets each change of the feed once.",
    engine,
    symbol: "Sockets.make",
    find: "attach(socket, { ...attached(socket), after: body.next })",
    replace: "attach(socket, attached(socket))"
  },
  {
    name: "change-while-sockets-are-served",
    breaks: "Sockets get a change that comes while they get an earlier one.",
    engine,
    symbol: "Sockets.make",
    find: "again = await push(those) || again",
    replace: "again = await push(those)"
  },
  {
    name: "ended-key-keeps-socket",
    breaks: "A socket gets nothing after its key has ended.",
    engine,
    symbol: "Sockets.make",
    find: "const isEnded = ranks.get(key) === undefined",
    replace: "const isEnded = false"
  },
  {
    name: "called-socket-still-waits",
    breaks: "A socket is called once for each time that it says it waits.",
    engine,
    symbol: "Waiting.make",
    find: "leave(socket)\n      if (!call(socket)) continue\n      calledAt.set(socket, changes)",
    replace: "if (!call(socket)) continue"
  },
  {
    name: "no-other-socket-called",
    breaks: "Another socket is called if the claim of the one that was called does not come.",
    engine,
    symbol: "Waiting.make",
    find: "if (late.some((n) => n > 0)) lookAgain()",
    replace: "if (late.some((n) => n < 0)) lookAgain()"
  },
  {
    name: "waits-forgotten-by-eviction",
    breaks: "An object that lost its memory knows which of its sockets wait.",
    engine,
    symbol: "Sockets.make",
    find: "found === null || found.wait === null ? []",
    replace: "found === null || found.wait !== null ? []"
  }
]
