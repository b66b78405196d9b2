import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { EntityDescription } from '../../core/entity.js'
import { DatabaseError } from '../../core/errors.js'
import { forEachConcurrently } from '../../core/for-each-concurrently.js'
import { withHeldLease } from '../../core/held-lease.js'
import type { Lease } from '../../core/lease.js'
import { setUpCollections } from '../../core/setup/set-up.js'
import { storedName } from '../format/manifest.js'
import type { BackupProgress, OnProgress } from '../progress.js'
import { compareCollection, loadCollection } from './collection-loader.js'
import { BlockInserter } from './raw-insert.js'
import type { Replay } from './replay.js'
import { journalNoticeMs } from './restore-guard.js'
import type { JournalCollection, RestoreJournal, restoreJournalEntity } from './restore-journal.js'
import { isTimeSeries, isView, type PlannedRestore } from './restore-plan.js'
import type { RestoreSource } from './restore-source.js'
import { buildTargetIndexes, createTarget, dropTargetIndexes, finishTarget } from './target-collection.js'

export interface RestorerOptions {
  readonly mode: RestoreJournal['mode']
  readonly journals: typeof restoreJournalEntity
  /** The entities of what processes do at this moment, the journal among them. */
  readonly coordination: readonly EntityDescription[]
  /** What has happened since the backup and is to be done once more, in a new database. */
  readonly replay?: Replay
  readonly onProgress?: OnProgress
  readonly signal?: AbortSignal
  /** What is to be done with the restored database before anybody else may use it. */
  readonly beforeOpen: () => Promise<void>
}

/** While the server builds the indexes of one the documents of another are loaded. */
const collectionsAtOnce = 3
const leaseMs = 30_000
const journalEveryMs = 2_000
const stagingPrefix = 'restore_staging.'

/**
 * Brings collections of a backup back into a database, step by step under a journal: every step can be done once more, so
 * a restore that was killed goes on from where it was. Until the journal is closed no handle does anything in the database.
 */
export class Restorer {
  readonly #database: Database
  readonly #source: RestoreSource
  readonly #planned: readonly PlannedRestore[]
  readonly #options: RestorerOptions
  readonly #journals: EntityCollection<RestoreJournal>
  readonly #inserter = new BlockInserter()
  readonly #done = { documents: 0, bytes: 0 }

  constructor(database: Database, source: RestoreSource, planned: readonly PlannedRestore[], options: RestorerOptions) {
    this.#database = database
    this.#source = source
    this.#planned = planned
    this.#options = options
    this.#journals = database.of(options.journals, { isDurable: true, isOutside: true })
  }

  /** @throws DatabaseError `RESTORING` if another process restores into this database, or another backup is half restored there. */
  async run(): Promise<void> {
    // Leases and journals are only worth something with their unique indexes.
    await setUpCollections(this.#database, this.#options.coordination, false)
    const lease = { name: 'restore', durationMs: leaseMs, waitMs: 0 }
    const held = await withHeldLease(this.#database, lease, async (held, lost) => {
      const { signal } = this.#options
      await this.#restore(held, signal === undefined ? lost : AbortSignal.any([signal, lost]))
    })
    if (held === null)
      throw new DatabaseError('RESTORING', 'Another process restores into this database', { retryable: true })
  }

  async #restore(lease: Lease, signal: AbortSignal): Promise<void> {
    const { replay } = this.#options
    const atEnd = replay?.planned ?? this.#planned
    const journal = await this.#openJournal()
    const states = new Map(journal.collections.map((one) => [one.name, one]))
    const renamed = this.#planned.filter((one) => !isView(one) && !this.#isLoadedInPlace(one))
    const inPlace = this.#planned.filter((one) => !isView(one) && this.#isLoadedInPlace(one))
    if (journal.phase === 'loading') {
      const loaded = this.#options.mode === 'new' ? inPlace : renamed
      const targetOf = (one: PlannedRestore) => (this.#isLoadedInPlace(one) ? one.name : this.#stagingOf(one))
      await forEachConcurrently(loaded, collectionsAtOnce, (one) => this.#prepare(one, targetOf(one), states, signal))
      await this.#advance(journal, replay === undefined ? 'swapping' : 'replaying')
    }
    if (journal.phase === 'replaying') {
      await this.#replay(lease, atEnd, signal)
      await this.#advance(journal, 'swapping')
    }
    if (journal.phase === 'swapping') {
      for (const one of renamed) await this.#swap(one, states, signal)
      if (this.#options.mode === 'replace') for (const one of inPlace) await this.#reload(one, states, signal)
      for (const one of atEnd.filter(isView)) await this.#recreateView(one)
      await this.#advance(journal, 'finishing')
    }
    if (journal.phase !== 'finishing') return
    this.#report('finishing', '')
    await this.#options.beforeOpen()
    await forEachConcurrently(atEnd, collectionsAtOnce, async ({ name, collection }) => {
      signal.throwIfAborted()
      await finishTarget(this.#database.native, name, collection)
    })
    const closedAt = this.#database.clock.now()
    await this.#journals.updateOne({ name: 'restore' }, { $set: { phase: 'closed', closedAt } })
  }

  /** Only then indexes are built: what is unique in the end need not be meanwhile. */
  async #replay(lease: Lease, atEnd: readonly PlannedRestore[], signal: AbortSignal): Promise<void> {
    const { replay, journals } = this.#options
    const report = (documents: number) => this.#report('replaying', '', documents)
    await replay?.run(this.#database, { lease, journals, signal, report })
    await forEachConcurrently(
      atEnd.filter((one) => !isView(one)),
      collectionsAtOnce,
      async ({ name, collection }) => {
        signal.throwIfAborted()
        this.#report('indexing', name)
        await buildTargetIndexes(this.#database.native, name, collection)
      },
    )
  }

  /** A time series cannot be renamed, and in a new database nothing has to be. */
  #isLoadedInPlace(one: PlannedRestore): boolean {
    return this.#options.mode === 'new' || isTimeSeries(one)
  }

  #stagingOf({ collection }: PlannedRestore): string {
    return `${stagingPrefix}${this.#source.content.collections.indexOf(collection)}`
  }

  /** The journal of this restore: that of an attempt before, or a new one. */
  async #openJournal(): Promise<{ phase: RestoreJournal['phase']; collections: readonly JournalCollection[] }> {
    const found = await this.#journals.findOne({ name: 'restore' })
    const { id } = this.#source.content
    if (found !== null && found.phase !== 'closed') {
      const isSame = found.backupId === id && found.mode === this.#options.mode && this.#namesOf() === namesOf(found)
      if (isSame) return { phase: found.phase, collections: found.collections }
      throw new DatabaseError(
        'RESTORING',
        `${found.backupId} is half restored into this database (${found.mode}): restore that one to its end, in the same way, or drop the database`,
      )
    }
    const collections = this.#planned.map(({ name }) => ({ name, documents: 0, state: 'loading' as const }))
    const begun = {
      backupId: id,
      timeline: randomUUID(),
      mode: this.#options.mode,
      phase: 'loading' as const,
      collections,
      startedAt: this.#database.clock.now(),
    }
    await this.#dropStaging()
    await this.#journals.updateOne(
      { name: 'restore' },
      { $set: begun, $unset: { closedAt: 1, replayedTo: 1 } },
      { upsert: true },
    )
    return { phase: 'loading', collections }
  }

  #namesOf(): string {
    return namesOf({ collections: this.#planned })
  }

  async #advance(journal: { phase: RestoreJournal['phase'] }, phase: RestoreJournal['phase']): Promise<void> {
    await this.#journals.updateOne({ name: 'restore' }, { $set: { phase } })
    journal.phase = phase
    // From here on what processes have in memory is of another time: each has noticed the journal when the first goes.
    if (phase === 'swapping' && this.#options.mode === 'replace') await sleep(journalNoticeMs)
  }

  /** Loads a collection, reads it back, and builds its indexes. */
  async #prepare(
    { collection, name }: PlannedRestore,
    target: string,
    states: ReadonlyMap<string, JournalCollection>,
    signal: AbortSignal,
  ): Promise<void> {
    const state = states.get(name)
    if (state !== undefined && state.state !== 'loading') return
    signal.throwIfAborted()
    const { native } = this.#database
    await createTarget(native, target, collection)
    await dropTargetIndexes(native, target)
    const stored = storedName(target, collection.type) ?? target
    let savedMs = performance.now()
    const sum = await loadCollection(native, stored, this.#source.documents(collection), this.#inserter, {
      skip: state?.documents ?? 0,
      isOrdered: collection.options.capped === true,
      signal,
      onStored: async (documents, bytes) => {
        this.#done.bytes += bytes
        this.#report('loading', name, documents)
        if (performance.now() - savedMs < journalEveryMs) return
        savedMs = performance.now()
        await this.#save(name, { documents })
      },
    })
    this.#done.documents += sum.documents
    // While the server builds the indexes there is time to read the documents back.
    const isIndexed = this.#options.replay === undefined
    this.#report(isIndexed ? 'indexing' : 'comparing', name)
    await forEachConcurrently(
      [
        () => compareCollection(native, stored, name, sum, signal),
        ...(isIndexed ? [() => buildTargetIndexes(native, target, collection)] : []),
      ],
      2,
      (work) => work(),
    )
    await this.#save(name, { documents: sum.documents, state: 'loaded' })
  }

  async #save(name: string, change: Partial<JournalCollection>): Promise<void> {
    const fields = Object.entries(change).map(([field, value]) => [`collections.$.${field}`, value])
    await this.#journals.updateOne({ name: 'restore', 'collections.name': name }, { $set: Object.fromEntries(fields) })
  }

  /** Puts the staging collection in the place of the live one. Without a staging collection that has been done. */
  async #swap(one: PlannedRestore, states: ReadonlyMap<string, JournalCollection>, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (states.get(one.name)?.state === 'swapped') return
    const { native } = this.#database
    const staging = this.#stagingOf(one)
    const listed = await native.listCollections({ name: { $in: [staging, one.name] } }, { nameOnly: true }).toArray()
    const typeOf = (name: string) => listed.find((found) => found.name === name)?.type ?? 'none'
    if (typeOf(staging) !== 'none') {
      // Nothing can be renamed to the name of a view.
      if (!['none', 'collection'].includes(typeOf(one.name))) await native.dropCollection(one.name)
      await native.renameCollection(staging, one.name, { dropTarget: true })
    }
    await this.#save(one.name, { state: 'swapped' })
  }

  /** A time series is dropped and loaded: it cannot be renamed. One that an attempt before has begun is loaded further. */
  async #reload(
    one: PlannedRestore,
    states: ReadonlyMap<string, JournalCollection>,
    signal: AbortSignal,
  ): Promise<void> {
    const state = states.get(one.name)
    if (state?.state === 'loading' && state.documents === 0) await this.#database.native.dropCollection(one.name)
    await this.#prepare(one, one.name, states, signal)
  }

  async #recreateView({ name, collection }: PlannedRestore): Promise<void> {
    await this.#database.native.dropCollection(name)
    await createTarget(this.#database.native, name, collection)
  }

  async #dropStaging(): Promise<void> {
    const found = await this.#database.native.listCollections({}, { nameOnly: true }).toArray()
    for (const { name } of found) if (name.startsWith(stagingPrefix)) await this.#database.native.dropCollection(name)
  }

  #report(phase: BackupProgress['phase'], name: string, documents = 0): void {
    const totalBytes = this.#planned.reduce((sum, { collection }) => sum + collection.bsonBytes, 0)
    const { bytes } = this.#done
    this.#options.onProgress?.({ phase, name, documents: this.#done.documents + documents, bytes, totalBytes })
  }
}

function namesOf({ collections }: { readonly collections: readonly { readonly name: string }[] }): string {
  return collections
    .map(({ name }) => name)
    .toSorted()
    .join('\n')
}
