/**
 * Works on so many items at once, and gives the results in the order of the items. The next item is taken only when a result
 * was consumed, so no more of them are in memory than are worked on.
 */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const under: Promise<Result>[] = []
  for await (const item of items) {
    const result = work(item)
    // It is awaited below, or not at all where the consumer stops.
    result.catch(() => undefined)
    under.push(result)
    if (under.length >= atOnce) yield await (under.shift() as Promise<Result>)
  }
  for (const result of under) yield await result
}
