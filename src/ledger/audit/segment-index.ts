/** Entries of a chain that stand beside each other in the tree. */
export interface LeafSegment {
  readonly firstSequence: number
  readonly count: number
  readonly firstLeaf: number
}

/** Segment index: where in the tree the entries of each chain are. Takes a few dozen bytes for each segment. */
export class SegmentIndex {
  readonly #segments = new Map<string, LeafSegment[]>()

  /** Segments of a chain are to be added in their order. */
  add(chain: string, segment: LeafSegment): void {
    const segments = this.#segments.get(chain)
    if (segments === undefined) this.#segments.set(chain, [segment])
    else segments.push(segment)
  }

  chains(): Iterable<string> {
    return this.#segments.keys()
  }

  segmentsOf(chain: string): readonly LeafSegment[] {
    return this.#segments.get(chain) ?? []
  }

  /** The last entry that the tree covers; 0 if it covers none. */
  lastSequenceOf(chain: string): number {
    return lastSequenceOf(this.segmentsOf(chain))
  }
}

/** Those of a chain that a tree of the first leaves has; it ends where a checkpoint does. */
export function signedSegments(index: SegmentIndex, chain: string, size: number): readonly LeafSegment[] {
  const segments = index.segmentsOf(chain)
  const last = segments.findLastIndex(({ firstLeaf, count }) => firstLeaf + count <= size)
  return last === segments.length - 1 ? segments : segments.slice(0, last + 1)
}

/** The last entry that the segments have; 0 if there are none. */
export function lastSequenceOf(segments: readonly LeafSegment[]): number {
  const last = segments.at(-1)
  return last === undefined ? 0 : last.firstSequence + last.count - 1
}

export function hasEntry({ firstSequence, count }: LeafSegment, sequence: number): boolean {
  return sequence >= firstSequence && sequence < firstSequence + count
}

/** Of the segments of a chain in order the one that an entry is in; undefined if the tree does not cover it. */
export function segmentWith(segments: readonly LeafSegment[], sequence: number): LeafSegment | undefined {
  let [low, high] = [0, segments.length - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const segment = segments[middle] as LeafSegment
    if (sequence < segment.firstSequence) high = middle - 1
    else if (sequence >= segment.firstSequence + segment.count) low = middle + 1
    else return segment
  }
  return undefined
}
