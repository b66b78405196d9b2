import type { Collection } from 'mongodb'
import type { Coverage, SegmentStore } from '../log/segment-store.js'
import type { Archive, Seam } from './archive-entities.js'

/** A seam behind what the records of the archives, and the tree, say that was archived of its chain. */
export interface ExcessiveSeam {
  readonly seam: Seam
  /** The last entry of the chain that was archived; undefined if none was. */
  readonly archived: Coverage | undefined
}

/** Knows how far a seam can be, from the archives and the place that the tree gives to entries. */
export class SeamBounds {
  readonly #archives: () => Collection<Archive>
  readonly #segments: SegmentStore

  constructor(archives: () => Collection<Archive>, segments: SegmentStore) {
    this.#archives = archives
    this.#segments = segments
  }

  /** How many leaves of the tree are archived: those of the archives that follow each other without a hole. */
  async archivedSize(): Promise<number> {
    let archived = 0
    for await (const { fromSize, size } of this.#archives().find({}, { sort: { size: 1 } })) {
      if (fromSize !== archived) break
      archived = size
    }
    return archived
  }

  /** Those of the seams that claim more than was archived. Seams are to be read before: archives only become more. */
  async excessive(seams: readonly Seam[]): Promise<ExcessiveSeam[]> {
    if (seams.length === 0) return []
    const size = await this.archivedSize()
    const coverage = size === 0 ? new Map<string, Coverage>() : await this.#segments.coverageAt(size)
    return seams.flatMap((seam) => {
      const archived = coverage.get(seam.switchId.toHexString())
      return seam.sequence > (archived?.sequence ?? 0) ? [{ seam, archived }] : []
    })
  }
}
