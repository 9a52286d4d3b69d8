/** Migration 0021 makes the counters of events, of lives, and of answered questions from what there is. */
import { assert, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import * as NodeD1 from "../support/NodeD1.ts"

const directory = new URL("../../migrations/", import.meta.url)
const files = readdirSync(directory).sort()
const apply = (raw: ReturnType<typeof NodeD1.make>["raw"], which: (file: string) => boolean) => {
  for (const file of files.filter(which)) raw.exec(readFileSync(new URL(file, directory), "utf8"))
}

it("counts the events that the cron had counted and those that it had not, and the lives of the last hours", () => {
  const { raw } = NodeD1.make()
  apply(raw, (file) => file < "0021")
  const hour = 3_600_000
  raw.exec(`
    INSERT INTO queue_counts (scope, counts, seq, events_seq) VALUES ('red', '{"done":2}', 6, 3), ('blue', '{}', 0, 0), (char(31) || 'p', '{}', 0, 0);
    INSERT INTO event_counts (scope, event, n) VALUES ('red', 'created', 7), ('red', 'claimed', 2);
    INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, grants, at, seq) VALUES
      ('a', 1, 'red', 'created', NULL, 'incoming', 0, 1, 1),
      ('a', 2, 'red', 'claimed', 'incoming', 'claimed', 1, 2, 2),
      ('a', 3, 'red', 'accepted', 'claimed', 'done', 1, ${hour} + 1, 4),
      ('b', 1, 'red', 'created', NULL, 'incoming', 0, ${hour} + 2, 5),
      ('b', 2, 'red', 'force_queue', 'incoming', 'done', 0, ${25 * hour} + 3, 6);
    INSERT INTO messages (id, scope, task_id, from_actor, type, content, parent_message_id, created_at) VALUES
      ('q1', 'red', 't', 'a', 'question', 'c', NULL, 1), ('q2', 'red', 't', 'a', 'question', 'c', NULL, 1),
      ('r', 'red', 't', 'a', 'comment', 'c', 'q1', 1)`)
  apply(raw, (file) => file >= "0021")
  const rows = raw.prepare("SELECT scope, events, lives FROM queue_counts WHERE scope >= ' ' ORDER BY scope").all()
  assert.deepStrictEqual(
    rows.map(({ events, lives, scope }) => [scope, JSON.parse(String(events)), JSON.parse(String(lives))]),
    [
      ["blue", {}, {}],
      ["red", { accepted: 1, claimed: 2, created: 8, force_queue: 1 }, { 1: [25, 1] }]
    ]
  )
  assert.deepStrictEqual(
    raw.prepare("SELECT id FROM messages WHERE replied = 1").all().map(({ id }) => id),
    ["q1"]
  )
})
