/** `octopoid-server inbox` and `reply`: the questions of agents to people. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Message, MessageId } from "../../client.ts"
import { actorOf, asFlag } from "../ask/actor.ts"
import { connect } from "../ask/Server.ts"
import { described, examples, given } from "../command.ts"
import { amount, both, brief, relative } from "../show/Moment.ts"
import * as Screen from "../show/Screen.ts"
import { table } from "../show/Table.ts"
import { block, line, styled } from "../show/Text.ts"

const messageArgument = Argument.String("message").pipe(Argument.withDescription("The id of the message"))

const full = (message: Message, now: number): string =>
  [
    `${styled("bold", line(message.from_actor))} ${
      styled(
        "dim",
        `to ${line(message.to_actor ?? "everyone")}, ${both(message.created_at, now)}, ${line(message.type)} ${
          line(message.id)
        }`
      )
    }`,
    block(message.content)
  ].join("\n")

const list = Effect.gen(function*() {
  const { api } = yield* connect
  const { questions, scope } = yield* api.overview.read({ query: {} })
  const now = yield* Clock.currentTimeMillis
  yield* Screen.show({ scope, ...questions }, ({ exact, items, total }) =>
    items.length === 0
      ? "Nobody waits for an answer."
      : [
        table(items, [
          { head: "message", of: ({ id }) => id, whole: true },
          { head: "task", of: ({ task_id }) => task_id, whole: true },
          { head: "from", of: ({ from_actor }) => from_actor },
          { head: "asks", of: ({ content }) => content, prose: true },
          { head: "ago", of: ({ created_at }) => brief(created_at, now) }
        ], Screen.width()),
        styled(
          "dim",
          `${
            total > items.length || !exact
              ? `${amount(items.length)} of ${amount(total)}${exact ? "" : " or more"}. `
              : ""
          }octopoid-server inbox <message> shows one, octopoid-server reply <message> "…" answers it.`
        )
      ].join("\n"))
})

const thread = Effect.fnUntraced(function*(id: string) {
  const { api } = yield* connect
  const message = yield* api.messages.get({ params: { id: id as MessageId }, query: {} })
  const { messages } = yield* api.messages.list({ query: { thread_id: message.id } })
  const now = yield* Clock.currentTimeMillis
  yield* Screen.show(
    { messages },
    ({ messages }) =>
      [`About ${styled("bold", line(message.task_id))}`, ...messages.map((one) => `\n${full(one, now)}`)].join("\n")
  )
})

export const inbox = Command.make("inbox", {
  message: messageArgument.pipe(
    Argument.withDescription("Shows this message and its replies in full"),
    Argument.optional
  )
}, ({ message }) =>
  Effect.gen(function*() {
    const id = given(message)
    yield* id === undefined ? list : thread(id)
  })).pipe(
    described(
      "List the questions to people that nobody answered.",
      "{ scope, total, exact, items }, as in the overview; { messages } for one message."
    )
  )

export const reply = Command.make("reply", {
  message: messageArgument,
  text: Argument.String("text").pipe(Argument.withDescription("What to answer")),
  type: Flag.String("type").pipe(Flag.withDescription("The kind of message"), Flag.withDefault("comment")),
  as: asFlag
}, (flags) =>
  Effect.gen(function*() {
    const from_actor = yield* actorOf(flags.as)
    const { api } = yield* connect
    const asked = yield* api.messages.get({ params: { id: flags.message as MessageId }, query: {} })
    // If the question has a reply already, this one is sent too, with a warning: people may correct themselves.
    const { messages } = yield* api.messages.list({ query: { thread_id: asked.id } })
    const before = messages.find(({ parent_message_id }) => parent_message_id === asked.id)
    if (before !== undefined) {
      const now = yield* Clock.currentTimeMillis
      yield* Screen.note(styled(
        "yellow",
        `${line(before.from_actor)} answered this ${relative(before.created_at, now)}: ${line(before.content)}`
      ))
    }
    const sent = yield* api.messages.send({
      query: {},
      payload: {
        task_id: asked.task_id,
        from_actor,
        to_actor: asked.from_actor,
        type: flags.type,
        content: flags.text,
        parent_message_id: asked.id
      }
    })
    yield* Screen.show(
      sent,
      ({ to_actor }) => `${styled("green", "✓")} Answered ${line(to_actor)}: ${line(flags.text)}`
    )
  })).pipe(
    described(
      "Answer a message. A task that waits for the answer is free to be claimed again.",
      "the new message, as POST /api/v1/messages answers it.",
      "If somebody answered already, it says so and sends the answer all the same."
    ),
    examples(["reply msg-1 \"Keep the old cookies\"", "Answer a question"])
  )
