/** Faults in the length of answers, and in conditional reads. */
import type { Fault } from "../Fault.ts"

export const answers: ReadonlyArray<Fault> = [
  {
    name: "page-ends-by-rows-only",
    breaks: "A page ends at about 4 MB of rows, also below its limit.",
    symbol: "Page.MaxPageBytes",
    find: "MaxPageBytes = 4_000_000",
    replace: "MaxPageBytes = 400_000_000"
  },
  {
    name: "heavy-rows-read-whole",
    breaks: "The server reads no more than a page from D1, also where rows have long texts.",
    file: "src/sql/page/PageBytes.ts",
    find: "> :share AS heavy",
    replace: "> 9e15 + :share AS heavy"
  },
  {
    name: "export-page-without-bound",
    breaks: "A page of an export ends at about 2 MB of records.",
    file: "src/services/transfer/Export.ts",
    find: "fitting(seen, MaxBytes)",
    replace: "fitting(seen, 1.6 * MaxBytes)"
  },
  {
    name: "list-without-limit",
    breaks: "Every list in a request has a limit.",
    symbol: "Encoding.listOf",
    find: "Schema.isMaxLength(most,",
    replace: "Schema.isMaxLength(1e9 + most,"
  },
  {
    name: "history-tag-without-oldest",
    breaks: "A history that lost its oldest entries has another ETag.",
    file: "src/services/task/read.ts",
    find: ",\n    (SELECT version FROM ${entries} ORDER BY version LIMIT 1) AS oldest",
    replace: ""
  }
]
