import type { Document, ObjectId } from 'mongodb'
import type { LastTelemetry } from './device-fields.js'

const rememberedRuns = 64
const rememberedSequences = 32

/** Run change: what was learnt of the run that a device is in. */
export interface RunChange {
  readonly boot: string
  readonly number: number | undefined
  /** The largest numbers of messages that were taken. */
  readonly sequences: readonly number[]
  readonly latestAt: Date
  readonly connection: number | undefined
  /** The run that was known before. */
  readonly after: string | undefined
  /** The runs that were followed since. */
  readonly followed: readonly string[]
}

/** Device presence: what ingestion has learnt about a device. */
export interface DevicePresence {
  readonly deviceId: ObjectId
  /** When a message of the device came; left out if only others spoke of it, as the broker does with its last will. */
  readonly lastSeenAt?: Date | undefined
  readonly lastSignOfLifeAt?: Date | undefined
  /** The device goes on until then, if it is in the span that began then. */
  readonly growth?: { readonly since: Date; readonly until: Date } | undefined
  readonly status?: 'online' | 'offline' | undefined
  /** When the status was reported; needed with it. */
  readonly statusAt?: Date | undefined
  readonly boot?: { readonly id: string; readonly startedAt: Date; readonly runMs?: number } | undefined
  readonly firmwareVersion?: string | undefined
  /** What the device said of itself; stored with the instant unless later news is. */
  readonly telemetry?: LastTelemetry | undefined
  /** The run that the device is in, with what was taken of it; stored if no other process has learnt of a later one. */
  readonly run?: RunChange | undefined
  /** A message had a right signature. */
  readonly hasSigned?: true | undefined
  /** The switches whose state is known better now. */
  readonly switches: readonly SwitchPresence[]
  readonly overrides: readonly SwitchOverride[]
}

/** A switch as it was found. */
interface SwitchPresence {
  readonly switchId: ObjectId
  readonly state: boolean
  readonly stateAt: Date
}

/** Whether the wall switch of a switch has the last word, as its device says. */
export interface SwitchOverride {
  readonly switchId: ObjectId
  readonly manualOverride: boolean
}

/** The write that stores it, by a pipeline: older news never replaces newer, and what is known already is not written. */
export function presenceUpdate(presence: DevicePresence): Document[] {
  const { lastSeenAt, lastSignOfLifeAt, growth, status, statusAt, boot, firmwareVersion } = presence
  const { hasSigned, run, switches, overrides, telemetry } = presence
  return [
    {
      $set: {
        ...(status !== undefined &&
          statusAt !== undefined &&
          newsAt('statusAt', statusAt, { status: unlessSet(status) })),
        ...(firmwareVersion !== undefined &&
          lastSeenAt !== undefined &&
          newsAt('lastSeenAt', lastSeenAt, { firmwareVersion: { $literal: firmwareVersion } })),
        ...(lastSeenAt !== undefined && { lastSeenAt: latest('lastSeenAt', lastSeenAt) }),
        ...(lastSignOfLifeAt !== undefined && { lastSignOfLifeAt: latest('lastSignOfLifeAt', lastSignOfLifeAt) }),
        ...(growth !== undefined && { lastSignOfLifeAt: grown(growth) }),
        ...(boot !== undefined && { boot: latestBoot(boot) }),
        ...(telemetry !== undefined && { telemetry: latestTelemetry(telemetry) }),
        ...(hasSigned && { hasSigned }),
        ...(run !== undefined && { run: withRun(run), pastRuns: withPastRuns(run) }),
        ...(switches.length + overrides.length > 0 && { switches: withStates(switches, overrides) }),
      },
    },
  ]
}

/** The later of two instants, of which one may be missing. */
function latest(field: string, at: Date): Document {
  return { $max: [`$${field}`, at] }
}

/** Values that were reported at an instant, and the instant, unless something later was reported. */
function newsAt(field: string, at: Date, reported: Readonly<Record<string, Document>>): Document {
  const isOld = { $gt: [`$${field}`, at] }
  const news = Object.entries(reported).map(([name, value]) => [name, { $cond: [isOld, `$${name}`, value] }])
  return { ...Object.fromEntries(news), [field]: latest(field, at) }
}

/** What a person has set stays until a person takes it back, whatever the device sends. */
function unlessSet(status: string): Document {
  return { $cond: [{ $in: ['$status', ['maintenance', 'error']] }, '$status', { $literal: status }] }
}

/** What a message leaves out stays as it was said before. */
function latestTelemetry(telemetry: LastTelemetry): Document {
  const isOld = { $gt: ['$telemetry.at', telemetry.at] }
  return { $cond: [isOld, '$telemetry', { $mergeObjects: ['$telemetry', telemetry] }] }
}

function grown({ since, until }: NonNullable<DevicePresence['growth']>): Document {
  return { $cond: [{ $eq: ['$alive.since', since] }, latest('lastSignOfLifeAt', until), '$lastSignOfLifeAt'] }
}

/** The start of the run that is known may become known better; another run has to have begun later. */
function latestBoot({ id, startedAt, runMs }: NonNullable<DevicePresence['boot']>): Document {
  const isNews = { $or: [{ $eq: ['$boot.id', { $literal: id }] }, { $lte: ['$boot.startedAt', startedAt] }] }
  return { $cond: [isNews, { id: { $literal: id }, startedAt, ...(runMs !== undefined && { runMs }) }, '$boot'] }
}

/** The run, with what was taken of it by whomever; another one stays if it has followed meanwhile. */
function withRun({ boot, number, sequences, latestAt, connection, after }: RunChange): Document {
  const all = { $setUnion: [{ $ifNull: ['$run.sequences', []] }, sequences] }
  const largest = (field: string, value: number | undefined) =>
    value === undefined ? `$run.${field}` : { $max: [`$run.${field}`, value] }
  const next = {
    boot: { $literal: boot },
    ...(number !== undefined && { number }),
    sequences,
    latestAt,
    ...(connection !== undefined && { connection }),
  }
  const same = {
    boot: { $literal: boot },
    number: largest('number', number),
    sequences: { $slice: [{ $sortArray: { input: all, sortBy: 1 } }, -rememberedSequences] },
    latestAt: latest('run.latestAt', latestAt),
    connection: largest('connection', connection),
  }
  return { $cond: [isRun(boot), same, { $cond: [isRun(after), next, '$run'] }] }
}

function withPastRuns({ boot, after, followed }: RunChange): Document {
  const all = { $concatArrays: [{ $ifNull: ['$pastRuns', []] }, { $literal: followed }] }
  const isNext = { $and: [{ $not: [isRun(boot)] }, isRun(after), followed.length > 0] }
  return { $cond: [isNext, { $slice: [all, -rememberedRuns] }, '$pastRuns'] }
}

/** Whether the device's run, as it is stored, is this one; undefined for none. */
function isRun(boot: string | undefined): Document {
  return { $eq: [{ $ifNull: ['$run.boot', null] }, boot === undefined ? null : { $literal: boot }] }
}

/** The switches, with the states of those that were found in one later than was known, and who has the last word. */
function withStates(states: DevicePresence['switches'], overrides: DevicePresence['overrides']): Document {
  const overridden = overrides.reduce<Document | string>((otherwise, { switchId, manualOverride }) => {
    return { $cond: [{ $eq: ['$$one._id', switchId] }, { $mergeObjects: ['$$one', { manualOverride }] }, otherwise] }
  }, '$$one')
  const one = states.reduce<Document | string>((otherwise, { switchId, ...found }) => {
    const isNews = { $and: [{ $eq: ['$$one._id', switchId] }, { $lte: ['$$one.stateAt', found.stateAt] }] }
    return { $cond: [isNews, { $mergeObjects: [overrides.length > 0 ? overridden : '$$one', found] }, otherwise] }
  }, overridden)
  return { $map: { input: '$switches', as: 'one', in: one } }
}
