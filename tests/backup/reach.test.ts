import { describe, expect, it } from 'vitest'
import { type Base, pathFrom, pathsTo, reachableSpans, type SliceLink } from '../../src/backup/point-in-time/reach.js'

const base = (id: string, seconds: number, timeline = 'first'): Base => ({
  id,
  timeline,
  clusterTime: { seconds, increment: 5 },
})

/** A slice from one second to another; named by both. */
function slice(from: number, to: number, previous: string | null, timeline = 'first', stop?: number): SliceLink {
  const unreplayable = stop === undefined ? [] : [{ seconds: stop, increment: 1, what: 'convertToWonder on things' }]
  const edge = (seconds: number) => ({ seconds, increment: 5, term: 1, sha256: '' })
  const content = { timeline, after: edge(from), last: edge(to), previous, unreplayable }
  return { folder: `${from}-${to}`, sha256: `${timeline}${from}-${to}`, content }
}

const chain = [slice(100, 110, null), slice(110, 120, 'first100-110'), slice(120, 130, 'first110-120')]
const foldersOf = (path: ReturnType<typeof pathFrom>) =>
  typeof path === 'string' ? path : path.slices.map(({ folder }) => folder)
const secondsOf = (bases: readonly Base[], links: readonly SliceLink[]) =>
  reachableSpans(bases, links).map(({ from, to, backups }) => [from.getTime() / 1000, to.getTime() / 1000, ...backups])

describe('an instant', () => {
  it('is reached by the slices from the backup to the one that goes beyond it', () => {
    expect(foldersOf(pathFrom(base('a', 100), chain, 100))).toEqual(['100-110'])
    expect(foldersOf(pathFrom(base('a', 100), chain, 119))).toEqual(['100-110', '110-120'])
    expect(foldersOf(pathFrom(base('b', 115), chain, 120))).toEqual(['110-120', '120-130'])
    expect(foldersOf(pathFrom(base('a', 100), chain, 129))).toHaveLength(3)
  })

  it('is not reached at the end of the slices, in a gap, in another timeline, or past what cannot be replayed', () => {
    expect(pathFrom(base('a', 100), chain, 130)).toBe('the slices end at 1970-01-01T00:02:10Z')
    expect(pathFrom(base('a', 100), [], 100)).toMatch(/slices end at/)
    const [first, , last] = chain as [SliceLink, SliceLink, SliceLink]
    expect(pathFrom(base('a', 100), [first, last], 125)).toMatch(/gap: the slice that ends at 1970-01-01T00:02:00Z/)
    expect(pathFrom(base('a', 100), [first, last], 115)).toMatch(/gap: no slice has/)
    expect(pathFrom(base('a', 100, 'second'), chain, 105)).toMatch(/slices end at/)
    const stopped = [first, slice(110, 120, 'first100-110', 'first', 113), last]
    expect(foldersOf(pathFrom(base('a', 100), stopped, 112))).toHaveLength(2)
    expect(pathFrom(base('a', 100), stopped, 113)).toMatch(/convertToWonder on things at .* cannot be replayed/)
    expect(foldersOf(pathFrom(base('b', 114), stopped, 115))).toEqual(['110-120'])
  })

  it('is reached from the newest backup that leads there, and from any older one', () => {
    const bases = [base('a', 100), base('b', 115), base('c', 128)]
    expect(pathsTo(bases, chain, 120).map((path) => path.base.id)).toEqual(['b', 'a'])
    expect(() => pathsTo(bases, chain, 99)).toThrow(/no backup is of an earlier time/)
    expect(() => pathsTo(bases, chain, 200)).toThrow(/from c the slices end at/)
  })

  it('two slicers that stored the same twice do not take away', () => {
    const twice = { ...slice(100, 110, null), folder: 'twice', sha256: 'twice' }
    const more = [twice, ...chain, { ...slice(110, 115, 'twice'), sha256: 'dead end' }]
    expect(foldersOf(pathFrom(base('a', 100), more, 125))).toEqual(['100-110', '110-120', '120-130'])
    expect(secondsOf([base('a', 100)], more)).toEqual([[100, 129, 'a']])
  })
})

describe('what can be reached', () => {
  it('is said in spans, with the backups in them', () => {
    expect(secondsOf([], chain)).toEqual([])
    expect(secondsOf([base('a', 100), base('b', 115)], chain)).toEqual([[100, 129, 'a', 'b']])
    const [first, , last] = chain as [SliceLink, SliceLink, SliceLink]
    expect(secondsOf([base('a', 100), base('b', 125)], [first, last])).toEqual([
      [100, 109, 'a'],
      [125, 129, 'b'],
    ])
    const stopped = [first, slice(110, 120, 'first100-110', 'first', 113), last]
    expect(secondsOf([base('a', 100), base('b', 114)], stopped)).toEqual([
      [100, 112, 'a'],
      [114, 129, 'b'],
    ])
    expect(secondsOf([base('a', 130)], chain)).toEqual([])
  })
})
