import { DatabaseError } from '../../core/errors.js'
import { comparePositions, type Position, showInstant } from './position.js'
import type { SliceContent } from './slice-format.js'

/** A backup that slices can be applied to. */
export interface Base {
  readonly id: string
  readonly timeline: string
  readonly clusterTime: Position
}

/** Slice link: what has to be known of a slice to say what it leads to. */
export interface SliceLink {
  readonly folder: string
  readonly sha256: string
  readonly content: Pick<SliceContent, 'timeline' | 'after' | 'last' | 'previous' | 'unreplayable'>
}

/** Instants that a restore can bring back, each second from the first to the last. */
export interface ReachableSpan {
  readonly from: Date
  readonly to: Date
  /** The backups in it that a restore can begin with. */
  readonly backups: readonly string[]
}

/** Path: what a restore to an instant is made of. */
export interface Path<Link extends SliceLink = SliceLink> {
  readonly base: Base
  readonly slices: readonly Link[]
}

/**
 * How an instant is reached from a backup: its slices without a gap, from the one that has the backup's cluster time to the
 * one that goes beyond the instant.
 * @returns in words what is in the way, if something is.
 */
export function pathFrom<Link extends SliceLink>(
  base: Base,
  links: readonly Link[],
  second: number,
): Path<Link> | string {
  const own = links.filter(({ content }) => content.timeline === base.timeline)
  const problems: string[] = []
  for (const end of own.filter((link) => isBeyond(link, second) && isReached(link, second))) {
    const slices = chainTo(end, own, base)
    if (typeof slices === 'string') problems.push(slices)
    else return unreplayableBefore(base, slices, second) ?? { base, slices }
  }
  return problems[0] ?? missingEnd(own, base, second)
}

/** Only in the second after its last entry is it certain that a slice has everything of a second. */
function isBeyond({ content }: SliceLink, second: number): boolean {
  return content.last.seconds > second
}

function isReached({ content }: SliceLink, second: number): boolean {
  return content.after.seconds <= second
}

/** Back from the end, by the hash that each has of the one before. */
function chainTo<Link extends SliceLink>(end: Link, links: readonly Link[], base: Base): Link[] | string {
  const byHash = new Map(links.map((link) => [link.sha256, link]))
  const backwards = [end]
  for (let first = end; comparePositions(first.content.after, base.clusterTime) > 0; ) {
    const { previous, after } = first.content
    const before = previous === null ? undefined : byHash.get(previous)
    if (before === undefined)
      return `there is a gap: the slice that ends at ${showInstant(after.seconds)} is missing or damaged, or the history was lost before it`
    backwards.push(before)
    first = before
  }
  return backwards.toReversed()
}

function unreplayableBefore(base: Base, slices: readonly SliceLink[], second: number): string | undefined {
  for (const { content } of slices)
    for (const { what, ...position } of content.unreplayable)
      if (position.seconds <= second && comparePositions(position, base.clusterTime) > 0)
        return `${what} at ${showInstant(position.seconds)} cannot be replayed`
  return undefined
}

function missingEnd(links: readonly SliceLink[], base: Base, second: number): string {
  const later = links.filter(({ content }) => comparePositions(content.last, base.clusterTime) > 0)
  const end = Math.max(base.clusterTime.seconds, ...later.map(({ content }) => content.last.seconds))
  if (end <= second) return `the slices end at ${showInstant(end)}`
  return `there is a gap: no slice has ${showInstant(second)}`
}

/** @throws DatabaseError `HISTORY_LOST` that says for each backup what is in the way, the newest first. @returns the paths, that from the newest backup first. */
export function pathsTo<Link extends SliceLink>(
  bases: readonly Base[],
  links: readonly Link[],
  second: number,
): Path<Link>[] {
  const earlier = bases
    .filter(({ clusterTime }) => clusterTime.seconds <= second)
    .toSorted((a, b) => comparePositions(b.clusterTime, a.clusterTime))
  const tried = earlier.map((base) => ({ base, path: pathFrom(base, links, second) }))
  const paths = tried.flatMap(({ path }) => (typeof path === 'string' ? [] : [path]))
  if (paths.length > 0) return paths
  const [newest] = tried
  const reason = newest === undefined ? 'no backup is of an earlier time' : `from ${newest.base.id} ${newest.path}`
  throw new DatabaseError('HISTORY_LOST', `${showInstant(second)} cannot be reached: ${reason}`)
}

/** All instants that can be reached, the earliest first. */
export function reachableSpans(bases: readonly Base[], links: readonly SliceLink[]): ReachableSpan[] {
  const chains = chainsOf(links)
  const spans = bases
    .map((base) => spanFrom(base, chains))
    .filter((span) => span !== undefined)
    .toSorted((a, b) => a.from.getTime() - b.from.getTime())
  const merged: ReachableSpan[] = []
  for (const span of spans) {
    const before = merged.at(-1)
    if (before === undefined || span.from > before.to) merged.push(span)
    else {
      const to = new Date(Math.max(before.to.getTime(), span.to.getTime()))
      merged.splice(-1, 1, { from: before.from, to, backups: [...before.backups, ...span.backups] })
    }
  }
  return merged
}

/** Slices that hang together. */
function chainsOf(links: readonly SliceLink[]): SliceLink[][] {
  const chains = new Map<string, SliceLink[]>()
  for (const link of links.toSorted((a, b) => comparePositions(a.content.last, b.content.last))) {
    const { previous } = link.content
    const chain = (previous === null ? undefined : chains.get(previous)) ?? []
    chain.push(link)
    chains.set(link.sha256, chain)
  }
  return [...new Set(chains.values())]
}

const secondMs = 1000

function spanFrom(
  { id, timeline, clusterTime }: Base,
  chains: readonly (readonly SliceLink[])[],
): ReachableSpan | undefined {
  const isAfterBase = (position: Position) => comparePositions(position, clusterTime) > 0
  const has = ({ content }: SliceLink) =>
    content.timeline === timeline && !isAfterBase(content.after) && isAfterBase(content.last)
  const endOf = (chain: readonly SliceLink[]) => chain.at(-1)?.content.last ?? clusterTime
  const leading = chains.filter((links) => links.some(has))
  const chain = leading.toSorted((a, b) => comparePositions(endOf(b), endOf(a)))[0] ?? []
  const stops = chain.flatMap(({ content }) => content.unreplayable).filter(isAfterBase)
  const ends = [...stops, ...chain.slice(-1).map(({ content }) => content.last)]
  const lastSecond = Math.min(...ends.map(({ seconds }) => seconds)) - 1
  if (chain.length === 0 || lastSecond < clusterTime.seconds) return undefined
  return { from: new Date(clusterTime.seconds * secondMs), to: new Date(lastSecond * secondMs), backups: [id] }
}
