/** Faults in what a scope looks like at a glance: the overview, the metrics, and the counters of events. */
import type { Fault } from "../Fault.ts"

export const overview: ReadonlyArray<Fault> = [
  {
    name: "overview-misses-questions",
    breaks: "An overview is not modified only if a new one would be the same.",
    symbol: "services/feed/Overview.revision",
    find: "leases_revision + messages_revision",
    replace: "leases_revision"
  },
  {
    name: "overview-misses-machines",
    breaks: "An overview is not modified only if a new one would be the same.",
    symbol: "services/feed/Overview.revision",
    find: "json_group_array(id || ' ' || status)",
    replace: "json_group_array(id)"
  },
  {
    name: "overview-repeats-answered",
    breaks: "An overview has the questions that nobody answered.",
    symbol: "services/feed/Overview.unanswered",
    find: "reply.parent_message_id = message.id",
    replace: "reply.id = message.parent_message_id"
  },
  {
    name: "overview-claims-all",
    breaks: "An overview says whether it looked at every change.",
    symbol: "services/feed/Overview.changes",
    find: "first = 0 OR place > first",
    replace: "1"
  },
  {
    name: "overview-reviews-twice",
    breaks: "A result that is under review does not wait for a review.",
    symbol: "services/feed/Overview.holds",
    find: "sum(queue = 'provisional')",
    replace: "0"
  },
  {
    name: "metrics-of-all",
    breaks: "A key gets the metrics of its scope only.",
    symbol: "MetricsHandlers",
    find: "Effect.flatMap(visibleScope(request), metrics.read)",
    replace: "Effect.flatMap(visibleScope(request), () => metrics.read(undefined))"
  },
  {
    name: "labels-as-they-are",
    breaks: "Prometheus can read every name.",
    symbol: "labelled",
    find: "/[\\\\\\n\"]/g",
    replace: "/[\\n\"]/g"
  },
  {
    name: "events-counted-again",
    breaks: "Each change is counted once.",
    symbol: "EventCounts.moveOn",
    find: "SET events_seq = next.upto",
    replace: "SET events_seq = next.upto - 1"
  },
  {
    name: "events-left-out",
    breaks: "Each change is counted.",
    symbol: "EventCounts.count",
    find: "history.seq <= next.upto",
    replace: "history.seq < next.upto"
  }
]
