/** A person who answers questions that hold tasks, now and then twice, and unparks an account. */
import * as Effect from "effect/Effect"
import { keyOf, type Machine } from "./Machine.ts"

const unanswered = "/messages?type=question&unreplied=true&limit=100"

/** Answers some of the questions that nobody has answered. */
const answer = Effect.fnUntraced(function*(machine: Machine) {
  const { chance } = machine.world
  const listed = yield* machine.send("GET", unanswered)
  for (const { id, task_id } of listed?.body.messages ?? []) {
    if (chance.happens(0.3)) continue
    const reply = {
      task_id,
      from_actor: "person",
      type: "comment",
      content: `Answer ${chance.between(1, 99)}`,
      parent_message_id: id
    }
    const headers = { "idempotency-key": keyOf(machine) }
    const sent = yield* machine.send("POST", "/messages", reply, headers)
    // A second answer, or the same once more, if nobody knows what became of it.
    if (sent === undefined || chance.happens(0.2)) yield* machine.send("POST", "/messages", reply, headers)
    if (chance.happens(0.1)) yield* machine.send("POST", "/messages", { ...reply, content: "Or rather not." })
  }
})

const unpark = Effect.fnUntraced(function*(machine: Machine) {
  const listed = yield* machine.send("GET", "/parks")
  const [first] = listed?.body.parks ?? []
  if (first !== undefined) yield* machine.send("DELETE", `/parks/${encodeURIComponent(first.account)}`)
})

export const start = (machine: Machine): void =>
  machine.fork(Effect.forever(Effect.gen(function*() {
    yield* machine.pause(30, 400)
    yield* answer(machine)
    if (machine.world.chance.happens(0.15)) yield* unpark(machine)
  })))
