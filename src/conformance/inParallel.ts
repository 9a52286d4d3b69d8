/** Calls `act` for each item, for at most `limit` items at a time. Answers the results in the order of the items. */
export const inParallel = async <A, B>(
  items: ReadonlyArray<A>,
  limit: number,
  act: (item: A) => Promise<B>
): Promise<ReadonlyArray<B>> => {
  const results: Array<B> = []
  const entries = items.entries()
  const work = async () => {
    for (const [i, item] of entries) results[i] = await act(item)
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work))
  return results
}
