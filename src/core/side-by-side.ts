/**
 * Works on the items in their order, so many of them at once. After a failure nothing more is begun.
 * @throws what was thrown, once all that was begun has ended.
 */
export async function sideBySide<Item>(
  items: Iterable<Item>,
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  // All lanes take from this one: a generator ends for all of them where one throws.
  const next = oneByOne(items)
  const lane = async () => {
    for (const item of next) await work(item)
  }
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, lane))
  for (const one of ended) if (one.status === 'rejected') throw one.reason
}

function* oneByOne<Item>(items: Iterable<Item>): Generator<Item, void, undefined> {
  yield* items
}
