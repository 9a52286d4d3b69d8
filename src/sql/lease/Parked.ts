/** Accounts that are parked until a time, because their provider gives them no more work before. */
import { MaxParks } from "../../domain/lease/Park.ts"
import { statement } from "../Statement.ts"

/**
 * The scope has room for one more parked account, `:account`. A condition of the plan of `moving`
 * (`sql/task/Move.ts`).
 */
export const mayPark = `(SELECT count(*) FROM parked_accounts
  WHERE parked_accounts.scope = moving.scope AND until > :now AND account <> :account) < ${MaxParks}`

/**
 * Parks the account, if the move of the task `:id` is planned: after `recorded` and before `moved`
 * (`sql/task/Move.ts`). An account that is parked for longer stays so. A time that is over parks nothing.
 */
export const parked = statement(`
  INSERT INTO parked_accounts (scope, account, until, task_id, parked_by, parked_at, reason)
  SELECT planned.scope, :account, :until, tasks.id, coalesce(:actor, claimed_by), :now, :excerpt
  FROM planned CROSS JOIN tasks ON tasks.id = planned.id WHERE planned.id = :id AND :until > :now
  ON CONFLICT (scope, account) DO UPDATE SET until = excluded.until, task_id = excluded.task_id,
    parked_by = excluded.parked_by, parked_at = excluded.parked_at, reason = excluded.reason
  WHERE excluded.until > parked_accounts.until`)

/** Forgets the accounts of the scope whose time is over. */
export const forgotten = statement(`
  DELETE FROM parked_accounts WHERE scope = (SELECT scope FROM planned WHERE id = :id) AND until <= :now`)

const isParked = "parked_accounts WHERE parked_accounts.scope = :scope AND account = :account AND until > :now"

/** The account `:account` may claim: a condition for a claim. */
export const mayClaim = `NOT EXISTS (SELECT 1 FROM ${isParked})`

/** Until when the account is parked. Nothing if it is not. */
export const until = statement(`SELECT until FROM ${isParked}`)

/** The same in the scope of the task `:id`. */
export const untilForTask = statement(`
  SELECT until FROM parked_accounts WHERE scope = (SELECT scope FROM tasks WHERE id = :id) AND account = :account
    AND until > :now`)

const columns = "account, until, task_id, parked_by, parked_at, reason"

/** The parked accounts of a scope, the first to end first. */
export const list = statement(`
  SELECT ${columns} FROM parked_accounts WHERE scope = :scope AND until > :now ORDER BY until, account`)

/** Unparks the account, and answers the park that it had. */
export const ended = statement(`
  DELETE FROM parked_accounts WHERE scope = :scope AND account = :account AND until > :now RETURNING ${columns}`)
