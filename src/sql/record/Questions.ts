/** The statements of questions that hold a task, and of the replies that free it. */
import { questionTypes } from "../../domain/feed/Overview.ts"
import { MaxAnswer, MaxAnswers, MaxQuestion } from "../../domain/lease/Question.ts"
import * as Feed from "../Feed.ts"
import { statement } from "../Statement.ts"

/** Whether a message is a question without a reply: a part of the condition of `messages_questions`. */
export const open = `type IN (${questionTypes.map((type) => `'${type}'`).join(", ")}) AND replied = 0`

/** Stores the question, if its move is planned: after `recorded` and before `moved` (`sql/task/Move.ts`). */
export const sent = statement(`
  INSERT INTO messages (id, scope, task_id, from_actor, to_actor, type, content, parent_message_id, status, created_at)
  SELECT :message, scope, id, :actor, :to_actor, :type, :content, NULL, 'pending', :now FROM planned WHERE id = :id RETURNING *`)

export const sentCounted = statement(`
  INSERT INTO queue_counts (scope, counts, messages_revision) SELECT scope, '{}', 1 FROM planned WHERE id = :id
  ON CONFLICT (scope) DO UPDATE SET messages_revision = messages_revision + 1, messages_total = messages_total + 1`)

/** Plans that the reply frees the task. The step before has stored the reply, unless it was refused. */
const answered = statement(`
  INSERT INTO history (
    task_id, version, scope, seq, event, from_queue, to_queue, actor, reason, details, grants, at, title, project_id)
  SELECT id, version + 1, scope, ${Feed.nextSeq("tasks", "first")}, 'answered', queue, queue, :from_actor, :excerpt,
    json_object('question_id', waiting_for_reply, 'message_id', :id), grants, :now, title, project_id
  FROM tasks WHERE id = :task_id AND scope = :scope AND waiting_for_reply = :parent_message_id
    AND EXISTS (SELECT 1 FROM messages WHERE messages.id = :id)`)

const freed = statement(`
  UPDATE tasks SET version = planned.version, updated_at = :now, available_at = NULL, answers = json_insert(
    iif(json_array_length(answers) >= ${MaxAnswers}, json_remove(answers, '$[0]'), coalesce(answers, '[]')), '$[#]', (
      SELECT json_object('question_id', id, 'question', substr(content, 1, ${MaxQuestion}), 'asked_by', from_actor,
        'reply_id', :id, 'answer', substr(:content, 1, ${MaxAnswer}), 'answered_by', :from_actor, 'at', CAST(:now AS INTEGER))
      FROM messages WHERE id = :parent_message_id))
  FROM planned WHERE tasks.id = :task_id AND planned.id = :task_id`)

/**
 * The steps of a reply, after the one that stores it. Parameters: those of a message, and `:excerpt`, the beginning of
 * `:content`.
 */
export const reply = { answered, freed, freedCounted: Feed.counted("= :scope") }
