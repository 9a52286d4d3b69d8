/** Reading one task. */
import { statement } from "../Statement.ts"

/** Answers the task `:id`, if it is in `:scope`; null is any scope. */
export const taskInScope = statement("SELECT * FROM tasks WHERE id = :id AND (:scope IS NULL OR scope = :scope)")
