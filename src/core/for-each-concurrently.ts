/**
 * Works on the items in their order, up to `atOnce` of them at the same time. After a failure no further item is begun.
 * @throws the first error, after all work that was begun has ended.
 */
export async function forEachConcurrently<Item>(
  items: Iterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  // All workers take from this one generator: it ends for all of them where one throws.
  const next = oneByOne(items)
  const worker = async () => {
    for (const item of next) await work(item)
  }
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, worker))
  for (const one of ended) if (one.status === 'rejected') throw one.reason
}

function* oneByOne<Item>(items: Iterable<Item>): Generator<Item, void, undefined> {
  yield* items
}
