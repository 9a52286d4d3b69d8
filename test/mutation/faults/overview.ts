/** Faults in what a scope looks like at a glance: the overview, the metrics, and their counters. */
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
    find: "projects_revision + machines_revision",
    replace: "projects_revision"
  },
  {
    name: "overview-misses-revived-machines",
    breaks: "An overview is not modified only if a new one would be the same.",
    step: "statusRaised",
    find: "status = 'offline' AND id = :machine",
    replace: "status = 'maintenance' AND id = :machine"
  },
  {
    name: "overview-repeats-answered",
    breaks: "An overview has the questions that nobody answered.",
    step: "replied",
    find: "SET replied = 1",
    replace: "SET replied = 0"
  },
  {
    name: "overview-counts-a-day-twice",
    breaks: "An overview counts the tasks that became done in each of the last 24 hours.",
    view: "counts_after",
    find: "[0]') = hour",
    replace: "[0]') > 0"
  },
  {
    name: "overview-reviews-twice",
    breaks: "A result that is under review does not wait for a review.",
    symbol: "services/feed/Overview.holds",
    find: "queue = 'provisional' AS reviews",
    replace: "0 AS reviews"
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
    name: "events-counted-once",
    breaks: "Each change is counted.",
    view: "counts_after",
    find: "coalesce(events ->> earliest, 0) + n)",
    replace: "coalesce(events ->> earliest, 0) + 1)"
  },
  {
    name: "events-of-kinds-left-out",
    breaks: "Each change is counted, also if its batch makes changes of several kinds.",
    view: "counts_after",
    find: "coalesce(events ->> value, 0) + times",
    replace: "coalesce(events ->> value, 0) + 1"
  },
  {
    name: "created-not-counted",
    breaks: "Each change is counted.",
    symbol: "services/task/create.counted",
    find: "coalesce(events ->> 'created', 0) + 1",
    replace: "coalesce(events ->> 'created', 0)"
  }
]
