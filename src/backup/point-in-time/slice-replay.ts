import type { Db } from 'mongodb'
import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import type { KeyRing } from '../../core/key-ring.js'
import { FormatError } from '../format/format-error.js'
import { type BackupCollection, type BackupContent, storedName } from '../format/manifest.js'
import type { Replay, ReplayContext } from '../restore/replay.js'
import type { PlannedRestore } from '../restore/restore-plan.js'
import type { StorageAccess } from '../storage/storage-access.js'
import { ReplayedCatalog } from './catalog-changes.js'
import { applyStep } from './catalog-steps.js'
import { type CommittedChanges, changesOf } from './committed-changes.js'
import { comparePositions, type Position } from './position.js'
import type { Path } from './reach.js'
import { ReplayWriter } from './replay-writer.js'
import type { Slice } from './slice-store.js'

export interface ReplayOptions {
  readonly path: Path<Slice>
  /** The last second whose changes are replayed. */
  readonly second: number
  readonly content: Pick<BackupContent, 'database' | 'collections'>
  readonly keyRing: KeyRing | undefined
  /** Only these collections. @default all */
  readonly collections?: readonly string[]
  readonly left: readonly string[]
}

/** The changes that slices have, done once more. */
export class SliceReplay implements Replay {
  readonly planned: readonly PlannedRestore[]
  readonly #storage: StorageAccess
  readonly #options: ReplayOptions

  private constructor(storage: StorageAccess, options: ReplayOptions, collections: readonly BackupCollection[]) {
    this.#storage = storage
    this.#options = options
    this.planned = collections.map((collection) => ({ collection, name: collection.name }))
  }

  /**
   * Reads all of it, and finds out what there is in the end.
   * @throws DatabaseError `BACKUP_DAMAGED` for what cannot be read or does not fit.
   */
  static async plan(storage: StorageAccess, options: ReplayOptions): Promise<SliceReplay> {
    const catalog = catalogOf(options)
    await translated(async () => {
      for await (const { changes } of changesIn(storage, options))
        for (const change of changes) {
          catalog.followed(change)
          catalog.follow(change)
        }
    })
    return new SliceReplay(storage, options, catalog.collections())
  }

  async run(database: Database, context: ReplayContext): Promise<void> {
    await translated(async () => {
      const journals = database.of(context.journals, { isDurable: true })
      const done = (await journals.findOne({ name: 'restore' }))?.replayedTo
      const writer = new ReplayWriter(database, context.lease, async (replayedTo) => {
        await journals.updateOne({ name: 'restore' }, { $set: { replayedTo } })
      })
      const catalog = catalogOf(this.#options)
      let total = 0
      for await (const committed of changesIn(this.#storage, this.#options)) {
        context.signal.throwIfAborted()
        total += committed.changes.length
        await this.#replay(committed, catalog, writer, database.native, done)
        context.report(total)
      }
      await writer.flush()
      for (const name of catalog.temporary()) await applyStep(database.native, { step: 'drop', name })
    })
  }

  /** Collections are made first: in a transaction they come before what is put into them, and nothing is dropped in one. */
  async #replay(
    { position, changes }: CommittedChanges,
    catalog: ReplayedCatalog,
    writer: ReplayWriter,
    native: Db,
    done: Position | undefined,
  ): Promise<void> {
    const steps = changes.map((change) => catalog.follow(change)).filter((step) => step !== undefined)
    if (done !== undefined && comparePositions(position, done) <= 0) return
    if (steps.length > 0) {
      await writer.flush()
      for (const step of steps) await applyStep(native, step)
    }
    for (const change of changes) {
      const collection = catalog.followed(change)
      if (collection === undefined) continue
      const stored = storedName(collection.name, collection.type)
      if (stored !== null) writer.add(stored, change, collection.isAtClusterTime)
    }
    await writer.endOf(position, steps.length > 0)
  }
}

function catalogOf({ content, collections, left }: ReplayOptions): ReplayedCatalog {
  const isChosen = (name: string) => !left.includes(name) && (collections?.includes(name) ?? true)
  return new ReplayedCatalog(content.collections, isChosen)
}

function changesIn(storage: StorageAccess, { path, second, content, keyRing }: ReplayOptions) {
  return changesOf(storage, path, second, content.database, keyRing)
}

/** What does not fit is damage. */
async function translated(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw new DatabaseError('BACKUP_DAMAGED', `The slices cannot be replayed: ${error.message}`, { cause: error })
  }
}
