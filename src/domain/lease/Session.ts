/** The session of an agent: how a person gets into it. Renewals, checkpoints and results may name it. */
import { maybe } from "../Encoding.ts"
import { Line } from "../Size.ts"

export const session = {
  session_url: maybe(Line, "Where a person can look at the session of the agent."),
  resume_command: maybe(Line, "The command by which a person gets into the session of the agent.")
}

export interface Session {
  readonly session_url?: string | null
  readonly resume_command?: string | null
}

/** Whether the body names a session at all. */
export const namesSession = ({ resume_command, session_url }: Session): boolean =>
  session_url != null || resume_command != null
