/** Accounts that are parked until a time, because their provider gives them no more work before. */
import { statement } from "../Statement.ts"

/** Parks the account, if the move of the task `:id` is planned: after `recorded` and before `moved` (`sql/task/Move.ts`). */
export const parked = statement(`
  INSERT INTO parked_accounts (scope, account, until)
  SELECT scope, :account, :until FROM planned WHERE id = :id
  ON CONFLICT (scope, account) DO UPDATE SET until = excluded.until`)

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
