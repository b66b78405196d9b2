import type { LibraryFigures } from './library-figures.js'
import type { Metric, Sample } from './metric.js'
import { counter, gauge, known, sample, seconds } from './samples.js'

/** Of the library's own figures. */
const fromFigures =
  (samples: (figures: LibraryFigures) => readonly Sample[]): Metric['samples'] =>
  ({ figures }) =>
    figures === null ? [] : samples(figures)

const ofCollections = (value: (size: Exclude<LibraryFigures['collections'], null>[number]) => number) =>
  fromFigures(({ collections }) => (collections ?? []).map((size) => sample(value(size), { collection: size.name })))

/** Of the database, of periodic work and of the library's own collections. */
export const libraryMetrics: readonly Metric[] = [
  gauge('up', '1', 'Whether the database answers', [], ({ health }) => [sample(health.status === 'up' ? 1 : 0)]),
  gauge('round_trip', 's', 'The time of one round trip to the database', [], ({ health }) =>
    known(health.latencyMs === null ? null : health.latencyMs / 1000),
  ),
  gauge('pool.connections', '{connection}', 'Connections of the pool', ['state'], ({ health: { pool } }) => [
    sample(pool.checkedOut, { state: 'used' }),
    sample(Math.max(0, pool.size - pool.checkedOut), { state: 'idle' }),
  ]),
  gauge('pool.waiting', '{request}', 'Operations that wait for a connection', [], ({ health }) => [
    sample(health.pool.waiting),
  ]),
  gauge('notices', '{notice}', 'What is not as it should be although nothing fails', ['code'], ({ health }) =>
    health.notices.map(({ code }) => sample(1, { code })),
  ),
  counter(
    'work.failures',
    '{failure}',
    'Turns of periodic work of this process that have failed',
    ['work'],
    ({ health }) => health.periodicWork.map(({ name, failures }) => sample(failures, { work: name })),
  ),
  gauge(
    'work.last_success_timestamp',
    's',
    'When periodic work of this process last ended well',
    ['work'],
    ({ health }) => health.periodicWork.flatMap((one) => known(seconds(one.lastSuccessAt), { work: one.name })),
  ),
  gauge(
    'work.complete_timestamp',
    's',
    'Until when periodic work, such as roll-ups, has done all that there was, whichever process did it',
    ['work'],
    fromFigures(({ work }) => (work ?? []).flatMap((one) => known(seconds(one.completeUntil), { work: one.name }))),
  ),
  gauge(
    'ledger.entries',
    '{entry}',
    'Entries of the ledger that are in the database, by statistics',
    [],
    fromFigures(({ ledger }) => known(ledger?.entries)),
  ),
  gauge(
    'ledger.checkpoint_entries',
    '{entry}',
    'Entries that the newest checkpoint covers, archived ones included',
    [],
    fromFigures(({ ledger }) => known(ledger?.checkpointSize)),
  ),
  gauge(
    'ledger.checkpoint_timestamp',
    's',
    'When the newest checkpoint was signed',
    [],
    fromFigures(({ ledger }) => known(seconds(ledger?.checkpointAt))),
  ),
  gauge(
    'anchor.entries',
    '{entry}',
    'Entries that the newest checkpoint of an anchor covers',
    ['anchor'],
    fromFigures(({ anchors }) => (anchors ?? []).map(({ name, size }) => sample(size, { anchor: name }))),
  ),
  gauge(
    'anchor.timestamp',
    's',
    'When an anchor last took a checkpoint',
    ['anchor'],
    fromFigures(({ anchors }) =>
      (anchors ?? []).flatMap((one) => known(seconds(one.anchoredAt), { anchor: one.name })),
    ),
  ),
  gauge(
    'anchor.failures',
    '{failure}',
    'Attempts that an anchor has refused since it last took a checkpoint',
    ['anchor'],
    fromFigures(({ anchors }) => (anchors ?? []).map(({ name, failures }) => sample(failures, { anchor: name }))),
  ),
  gauge(
    'quarantine.messages',
    '{message}',
    'Messages in quarantine, by statistics',
    [],
    fromFigures(({ quarantine }) => known(quarantine?.messages)),
  ),
  gauge(
    'backup.last_success_timestamp',
    's',
    'When a backup on the schedule last ended well',
    [],
    fromFigures(({ backup }) => known(seconds(backup?.lastSuccessAt))),
  ),
  gauge(
    'backup.failures',
    '{failure}',
    'Backups on the schedule that have failed since',
    [],
    fromFigures(({ backup }) => known(backup?.failures)),
  ),
  gauge(
    'collection.documents',
    '{document}',
    'Documents of a collection, by statistics',
    ['collection'],
    ofCollections(({ documents }) => documents),
  ),
  gauge(
    'collection.data',
    'By',
    'Documents of a collection, before compression',
    ['collection'],
    ofCollections(({ dataBytes }) => dataBytes),
  ),
  gauge(
    'collection.storage',
    'By',
    'A collection on disk, without indexes',
    ['collection'],
    ofCollections(({ storageBytes }) => storageBytes),
  ),
  gauge(
    'collection.indexes',
    'By',
    'The indexes of a collection on disk',
    ['collection'],
    ofCollections(({ indexBytes }) => indexBytes),
  ),
]
