import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Tile } from '../../../src/ledger/log/log-entities.js'
import { consistencyPath, inclusionPath } from '../../../src/ledger/log/merkle-proof.js'
import { MerkleFrontier } from '../../../src/ledger/log/merkle-tree.js'
import { MissingLeavesError, TileStore } from '../../../src/ledger/log/tile-store.js'
import { setUpDatabase } from '../../support/database.js'
import { runs } from '../../support/extent.js'
import { openVolt } from '../../support/volt.js'
import { slowConsistency, slowInclusion, slowRoot, someLeaves } from '../support/slow-tree.js'

const database = setUpDatabase()
const { db, client } = database
const tiles = () => db.collection<Tile>('ledger_tiles')
const store = new TileStore(tiles)
const leaves = someLeaves(66_100)

beforeEach(async () => {
  if ((await db.listCollections({ name: 'ledger_tiles' }).toArray()).length === 0)
    await (await openVolt(database)).setup()
  await tiles().deleteMany({})
})

/** Appends up to each of the sizes, each in a transaction of its own. */
async function grow(...sizes: readonly number[]): Promise<void> {
  let from = 0
  for (const size of sizes) {
    const begin = from
    await client.withSession((session) =>
      session.withTransaction(() => store.append(begin, leaves.slice(begin, size), session)),
    )
    from = size
  }
}

function rootOf(size: number): Buffer {
  const frontier = new MerkleFrontier()
  for (const leaf of leaves.slice(0, size)) frontier.append(leaf)
  return frontier.root()
}

/** How many hashes each tile has, as `level/index`. */
async function widths(): Promise<Record<string, number>> {
  const stored = await tiles().find().sort({ level: 1, index: 1 }).toArray()
  return Object.fromEntries(stored.map(({ level, index, hashes }) => [`${level}/${index}`, hashes.length() / 32]))
}

describe('TileStore', () => {
  it('keeps the tree in tiles of 256, and the roots of full ones a level higher', async () => {
    await grow(255)
    expect(await widths()).toEqual({ '0/0': 255 })
    await grow(256)
    expect(await widths()).toEqual({ '0/0': 256, '1/0': 1 })
    await grow(257)
    expect(await widths()).toEqual({ '0/0': 256, '0/1': 1, '1/0': 1 })
    await grow(512)
    expect(await widths()).toEqual({ '0/0': 256, '0/1': 256, '1/0': 2 })
  })

  it('has the same tiles whether leaves come one after the other or all at once', async () => {
    await grow(1, 2, 255, 256, 257, 300, 511, 513, 900)
    const [oneByOne, inTiles] = [
      await widths(),
      await tiles()
        .find({}, { projection: { _id: 0 } })
        .sort({ level: 1, index: 1 })
        .toArray(),
    ]
    await tiles().deleteMany({})
    await grow(900)
    expect(await widths()).toEqual(oneByOne)
    expect(
      await tiles()
        .find({}, { projection: { _id: 0 } })
        .sort({ level: 1, index: 1 })
        .toArray(),
    ).toEqual(inTiles)
  })

  it('has the root of any tree, grown in any steps', async () => {
    const steps = fc.array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(1, 255, 256, 257)), {
      minLength: 1,
      maxLength: 5,
    })
    await fc.assert(
      fc.asyncProperty(steps, async (counts) => {
        await tiles().deleteMany({})
        let size = 0
        await grow(...counts.map((count) => (size += count)))
        expect((await store.frontier(size)).root()).toEqual(rootOf(size))
      }),
      { numRuns: runs(12) },
    )
  })

  it('has the hashes of proofs at and around the edges of tiles', async () => {
    await grow(700)
    for (const size of [1, 2, 255, 256, 257, 511, 512, 513, 700]) {
      const part = leaves.slice(0, size)
      for (const leaf of [0, 1, 254, 255, 256, 257, 511, 512, size - 1].filter((at) => at < size))
        expect(await store.rootsOf(inclusionPath(leaf, size))).toEqual(slowInclusion(leaf, part))
      for (const from of [1, 2, 255, 256, 257, 512, size].filter((at) => at <= size))
        expect(await store.rootsOf(consistencyPath(from, size))).toEqual(slowConsistency(from, part))
    }
  })

  it('passes into the third level where there are 65,536 leaves', async () => {
    await grow(65_535, 65_536, 65_537, 66_100)
    expect(await tiles().countDocuments({ level: 0 })).toBe(Math.ceil(66_100 / 256))
    expect(
      await tiles()
        .find({ level: { $gt: 0 } })
        .sort({ level: 1, index: 1 })
        .map(({ level, index }) => `${level}/${index}`)
        .toArray(),
    ).toEqual(['1/0', '1/1', '2/0'])
    for (const size of [65_535, 65_536, 65_537, 66_100])
      expect((await store.frontier(size)).root()).toEqual(rootOf(size))
    expect(await store.rootOf({ begin: 0, end: 65_536 })).toEqual(rootOf(65_536))
    expect(await store.rootsOf(inclusionPath(65_536, 65_537))).toEqual([rootOf(65_536)])
  })

  it('goes on where a crashed process has left leaves behind the size', async () => {
    await grow(300, 520)
    await client.withSession((session) =>
      session.withTransaction(() => store.append(300, leaves.slice(300, 310), session)),
    )
    expect((await store.frontier(310)).root()).toEqual(slowRoot(leaves.slice(0, 310)))
  })

  it('gives leaves tile by tile, from one on and up to a size', async () => {
    await grow(700)
    const given: { index: number; count: number }[] = []
    for await (const { index, hashes } of store.leaves(300, 600)) given.push({ index, count: hashes.length / 32 })
    expect(given).toEqual([
      { index: 1, count: 256 },
      { index: 2, count: 88 },
    ])
  })

  it('refuses to make up for leaves that are not there', async () => {
    await grow(300)
    await expect(store.rootOf({ begin: 0, end: 512 })).rejects.toThrow(MissingLeavesError)
    await expect(store.rootOf({ begin: 300, end: 301 })).rejects.toThrow(MissingLeavesError)
    await tiles().deleteOne({ level: 0, index: 1 })
    await expect(store.frontier(300)).rejects.toThrow(MissingLeavesError)
  })
})
