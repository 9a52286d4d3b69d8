/** Prints what is left in an outbox. */
import * as Effect from "effect/Effect"
import * as Worker from "../../../../src/client/Worker.ts"
import * as FileStore from "../../../../src/FileStore.ts"
import { setting } from "./setting.ts"

const left = await Effect.runPromise(Worker.unsettled(FileStore.make(setting.own)))
console.log(JSON.stringify(left.map(({ fencing_token, refused, task_id, verb }) => ({
  task_id,
  fencing_token,
  verb,
  refused
}))))
