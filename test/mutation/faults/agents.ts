/** Faults in what agents run: the tools by MCP, and the hooks of git. */
import type { Fault } from "../Fault.ts"

export const agents: ReadonlyArray<Fault> = [
  {
    name: "agent-told-nothing",
    breaks: "An agent learns of a cancel and of a lost lease with its next call.",
    symbol: "Agent.make",
    find: "notices.push({ held, says })",
    replace: "void says"
  },
  {
    name: "agent-ends-with-its-task",
    breaks: "An agent that ends gives back what it holds.",
    symbol: "Agent.make",
    find: "return settle.giveBack(one, \"The process of the agent ended.\")",
    replace: "return Effect.void"
  },
  {
    name: "branch-that-git-refuses",
    breaks: "The branch of every task is a name that git takes.",
    symbol: "branchOf",
    find: ".replace(dots, hex)",
    replace: ""
  },
  {
    name: "stale-push-let-through",
    breaks: "A push of a lease that no longer holds its task is refused.",
    symbol: "script.verdict",
    find: "  refused=yes",
    replace: "  refused="
  },
  {
    name: "fence-asks-one-side",
    breaks: "A push names a local branch and a remote branch. The hook asks about both names.",
    symbol: "script.loops",
    find: "for ref in \"$from\" \"$to\"; do",
    replace: "for ref in \"$from\"; do"
  },
  {
    name: "hook-of-others-overwritten",
    breaks: "A hook of somebody else stays, unless it is to be chained or replaced.",
    symbol: "install.install",
    find: "if (existsSync(file) && !isOurs(file)) {",
    replace: "if (existsSync(file) && mark === \"\") {"
  }
]
