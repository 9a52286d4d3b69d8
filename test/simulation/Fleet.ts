/** The machines of a run, and the clients that create tasks and change them. A machine that was killed comes up again. */
import type * as Builder from "./agents/Builder.ts"
import * as BuilderMachine from "./agents/Builder.ts"
import * as Guest from "./agents/Guest.ts"
import * as Hired from "./agents/Hired.ts"
import * as Keeper from "./agents/Keeper.ts"
import * as Legacy from "./agents/Legacy.ts"
import * as Listener from "./agents/Listener.ts"
import * as Machine from "./agents/Machine.ts"
import * as Operator from "./agents/Operator.ts"
import * as Person from "./agents/Person.ts"
import * as Producer from "./agents/Producer.ts"
import * as Reader from "./agents/Reader.ts"
import * as Reviewer from "./agents/Reviewer.ts"
import type { Network } from "./Network.ts"
import type { World } from "./World.ts"

export type { Builder }

interface Post {
  readonly name: string
  readonly scope: string
  readonly start: (machine: Machine.Machine) => void
}

export const scopes = ["red", "blue"] as const

export const posts = (scope: string): ReadonlyArray<Post> => [
  { name: `${scope} builder`, scope, start: BuilderMachine.start },
  { name: `${scope} reviewer`, scope, start: Reviewer.start },
  scope === "red"
    ? { name: "red legacy", scope, start: Legacy.start }
    : { name: "blue worker", scope, start: (machine) => Hired.start(machine, "the worker") }
]

export const readerOf = (scope: string): string => `${scope} reader`
export const listenerOf = (scope: string): string => `${scope} listener`

export const make = (
  world: World,
  network: Network,
  tokens: Record<string, string>
) => {
  const { chance, journal, timeline } = world
  const crew: Array<{ readonly post: Post; machine: Machine.Machine }> = []
  const bystanders: Array<Machine.Machine> = []
  let dismissed = false

  const boot = (name: string, scope: string, token = tokens[scope]!) =>
    Machine.make(world, network, { name, scope, token })

  const extra = (name: string, scope: string, begin: (machine: Machine.Machine) => void) => {
    const machine = boot(name, scope)
    bystanders.push(machine)
    begin(machine)
  }

  const enlist = (post: Post) => {
    const machine = boot(post.name, post.scope)
    crew.push({ post, machine })
    post.start(machine)
  }

  return {
    boot,
    /** With `readers`, each scope has one that follows its feed. */
    start: (tasks: number, readers: boolean) => {
      for (const scope of scopes) {
        if (readers) enlist({ name: readerOf(scope), scope, start: Reader.start })
        if (world.asking) extra(`${scope} person`, scope, Person.start)
        if (world.breaking) extra(`${scope} keeper`, scope, Keeper.start)
        extra(`${scope} producer`, scope, (machine) => Producer.start(machine, tasks))
        // Not everybody is there in every run: some things only happen where others do not.
        for (const post of posts(scope).filter((_, i) => i === 0 || chance.happens(0.6))) {
          enlist(post)
        }
      }
      if (world.engine === "objects") {
        // In one scope each, because to have them everywhere takes too long.
        const scope = chance.pick(scopes)
        enlist({ name: listenerOf(scope), scope, start: Listener.start })
        const other = chance.pick(scopes)
        const invited = (name: string, key: string) => {
          const guest = boot(name, other, key)
          bystanders.push(guest)
          return guest
        }
        extra("host", "administrator", (host) => Guest.invite(host, other, invited))
      }
      extra("operator", "administrator", (machine) => Operator.start(machine, scopes))
      extra("spy", "blue", (machine) => Operator.startSpy(machine, "red"))
    },
    /** Ends a machine at any point of its work. It returns after a while and remembers nothing. */
    kill: () => {
      const member = chance.pick(crew)
      const { post } = member
      journal.fault("machine killed")
      journal.note(timeline.now(), `${post.name} is killed`)
      member.machine.process.dead = true
      timeline.after(chance.between(1, 600) * 1000, `${post.name} is back`, undefined, () => {
        if (dismissed || !member.machine.process.dead) return
        member.machine = boot(post.name, post.scope)
        post.start(member.machine)
      })
    },
    /** A lid is closed: hours may pass before the machine continues. */
    nap: () => {
      const { machine: { process } } = chance.pick(crew)
      const minutes = chance.pick([1, 5, 20, 90])
      journal.fault("machine asleep")
      journal.note(timeline.now(), `${process.name} sleeps for ${minutes} minutes`)
      process.asleepUntil = Math.max(process.asleepUntil, timeline.now() + minutes * 60_000)
    },
    /** A clock is corrected: mostly by a little, sometimes by an hour. */
    stepClock: () => {
      const { machine: { process } } = chance.pick(crew)
      const seconds = chance.pick([-3600, -3600, -30, 30, 3600])
      journal.fault("clock stepped")
      journal.note(timeline.now(), `the clock of ${process.name} steps by ${seconds} s`)
      process.skew += seconds * 1000
    },
    /** Everybody goes, for good. */
    dismiss: () => {
      dismissed = true
      for (const { machine } of crew) machine.process.dead = true
      for (const machine of bystanders) machine.process.dead = true
    }
  }
}

export type Fleet = ReturnType<typeof make>
