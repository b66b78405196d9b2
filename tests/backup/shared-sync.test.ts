import { describe, expect, it } from 'vitest'
import { SharedSync } from '../../src/backup/storage/shared-sync.js'

/** Syncs that end when they are told to. */
function syncsByHand() {
  const begun: { readonly place: string; readonly end: () => void; readonly fail: (error: Error) => void }[] = []
  const shared = new SharedSync(
    (place) => new Promise<void>((resolve, reject) => void begun.push({ place, end: resolve, fail: reject })),
  )
  return { begun, shared }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('syncs that are shared', () => {
  it('answer each who asks by one that began afterwards, and all who wait by the same', async () => {
    const { begun, shared } = syncsByHand()
    const done: number[] = []
    const ask = (name: number) => shared.after('a').then(() => done.push(name))
    const asked = [ask(1), ask(2), ask(3)]
    await settled()
    expect(begun).toHaveLength(1)
    begun[0]?.end()
    await settled()
    expect(done).toEqual([1])
    expect(begun).toHaveLength(2)
    asked.push(ask(4))
    begun[1]?.end()
    await settled()
    expect(done).toEqual([1, 2, 3])
    begun[2]?.end()
    await Promise.all(asked)
    asked.push(ask(5))
    expect(begun).toHaveLength(4)
    begun[3]?.end()
    await Promise.all(asked)
  })

  it('are one for each place', async () => {
    const { begun, shared } = syncsByHand()
    const asked = [shared.after('a'), shared.after('b')]
    expect(begun.map(({ place }) => place)).toEqual(['a', 'b'])
    for (const { end } of begun) end()
    await Promise.all(asked)
  })

  it('fail for those whose sync failed, and for nobody else', async () => {
    const { begun, shared } = syncsByHand()
    const first = shared.after('a')
    const second = shared.after('a')
    begun[0]?.fail(new Error('full'))
    await expect(first).rejects.toThrow('full')
    await settled()
    begun[1]?.end()
    await expect(second).resolves.toBeUndefined()
  })
})
