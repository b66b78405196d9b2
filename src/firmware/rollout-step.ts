import { withHeldLease } from '../core/held-lease.js'
import type { Device } from '../devices/device.js'
import { enrol } from './enrolment.js'
import { type FirmwareParts, haltRollout } from './firmware-parts.js'
import { type FirmwareInstall, type InstallStatus, installStatuses } from './install.js'
import { settledOutcome, type UpdatedDevice } from './install-outcome.js'
import type { Rollout } from './rollout.js'
import { RolloutOffers, type StepOptions } from './rollout-offers.js'

/** Roll-out counts: how many devices of the stages so far are where. */
export type RolloutCounts = Readonly<Record<InstallStatus, number>>

const leaseMs = 30_000
const rowsAtOnce = 500

/** Moves roll-outs on. One process at a time does so with each. */
export class RolloutStep {
  readonly #parts: FirmwareParts
  readonly #offers: RolloutOffers

  constructor(parts: FirmwareParts) {
    this.#parts = parts
    this.#offers = new RolloutOffers(parts)
  }

  /** One step of every roll-out that no other process works on. */
  async step(options: StepOptions, signal: AbortSignal): Promise<void> {
    const { database, rollouts } = this.#parts
    const open = await rollouts.for('step').find({ open: true }, { sort: { _id: 1 }, projection: { _id: 1 } })
    for (const { _id } of open) {
      if (signal.aborted) return
      const lease = { name: `firmware:${_id.toHexString()}`, durationMs: leaseMs, waitMs: 0 }
      await withHeldLease(database, lease, (_, held) => this.#move(_id, options, AbortSignal.any([signal, held])))
    }
  }

  /** @param from Only devices with at least this share: those of the present stage alone, for one. */
  async counts({ _id: rollout, stages, stage }: Rollout, from = -1): Promise<RolloutCounts> {
    const inStages = {
      rollout,
      status: { $in: [...installStatuses] },
      share: { $gte: from, $lt: stages[stage] ?? 100 },
    }
    const found = await this.#parts.installs
      .for('counts')
      .aggregate<{ _id: InstallStatus; count: number }>([
        { $match: inStages },
        { $group: { _id: '$status', count: { $sum: 1 } } },
      ])
    const countOf = (status: InstallStatus) => found.find(({ _id }) => _id === status)?.count ?? 0
    return {
      pending: countOf('pending'),
      downloading: countOf('downloading'),
      installing: countOf('installing'),
      succeeded: countOf('succeeded'),
      failed: countOf('failed'),
      rolled_back: countOf('rolled_back'),
      cancelled: countOf('cancelled'),
    }
  }

  async #move(_id: Rollout['_id'], options: StepOptions, signal: AbortSignal): Promise<void> {
    const { rollouts } = this.#parts
    const before = await rollouts.findOne({ _id })
    if (before === null) return
    if (!before.enrolled && before.status === 'running') await enrol(this.#parts, before, signal)
    await this.#settle(before, signal)
    const rollout = (await rollouts.findOne({ _id })) ?? before
    const counts = await this.counts(rollout)
    if (rollout.status !== 'running') return this.#close(rollout, counts)
    const failures = counts.failed + counts.rolled_back
    const ended = failures + counts.succeeded
    if (failures >= rollout.haltAt.minimum && failures * 100 > ended * rollout.haltAt.percent) {
      await haltRollout(this.#parts, rollout, `${failures} of ${ended} devices failed`)
      return
    }
    await this.#offers.offer(rollout, rollout.stages[rollout.stage] ?? 100, options, signal)
    if (rollout.enrolled) await this.#advance(rollout)
  }

  /** What became of the devices that have begun. */
  async #settle({ _id: rollout, version }: Rollout, signal: AbortSignal): Promise<void> {
    const { installs, database } = this.#parts
    const active = { rollout, status: { $in: ['downloading', 'installing'] } }
    let after = {}
    while (!signal.aborted) {
      const options = { sort: { device: 1 }, limit: rowsAtOnce } as const
      const rows = await installs.for('settle').find({ ...active, ...after }, options)
      const devices = await this.#devicesOf(rows)
      const now = database.clock.now()
      for (const row of rows) {
        const set = settledOutcome(row, devices.get(row.device.toHexString()), version, now)
        if (set === undefined) continue
        const { matched } = await installs.for('settle').updateOne({ _id: row._id, status: row.status }, { $set: set })
        if (matched > 0) this.#log(row, set, version)
      }
      const last = rows.at(-1)
      if (last === undefined || rows.length < rowsAtOnce) return
      after = { device: { $gt: last.device } }
    }
  }

  async #devicesOf(rows: readonly FirmwareInstall[]): Promise<Map<string, UpdatedDevice>> {
    const ids = { $in: rows.map(({ device }) => device) }
    const projection = { firmwareVersion: 1, boot: 1, lastSeenAt: 1 }
    const found = await this.#parts.deviceDocuments
      .for('settle')
      .find<Pick<Device, '_id'> & UpdatedDevice>({ _id: ids, deletedAt: null }, { projection })
    return new Map(found.map((device) => [device._id.toHexString(), device]))
  }

  #log({ device, rollout }: FirmwareInstall, { status, reason }: Partial<FirmwareInstall>, version: string): void {
    const level = status === 'succeeded' ? 'info' : 'warning'
    const details = { version, rollout, status, ...(reason === undefined ? {} : { reason }) }
    this.#parts.deviceLogs.log({ device, kind: 'firmware_update', level, details })
  }

  /** To the next stage, or to the end. Both are conditional: the roll-out may have been paused meanwhile. */
  async #advance(rollout: Rollout): Promise<void> {
    const { _id, stages, stage, stageStartedAt, advanceAt } = rollout
    const { rollouts, database } = this.#parts
    const now = database.clock.now()
    // What the stages before have shown says nothing of the devices of this one; at the end all have to be done.
    const isLast = stage === stages.length - 1
    const counts = await this.counts(rollout, isLast ? -1 : stages[stage - 1])
    const asSeen = { _id, status: 'running', stage }
    const waiting = counts.pending + counts.downloading + counts.installing
    if (isLast) {
      const finished = { $set: { status: 'finished', open: false, endedAt: now } }
      if (waiting === 0) await rollouts.for('advance').updateOne(asSeen, finished)
      return
    }
    const ended = counts.succeeded + counts.failed + counts.rolled_back
    // A stage without devices, or all of whose devices have ended or are gone, has nothing to wait for.
    const isEnough = counts.succeeded >= advanceAt.minimum && counts.succeeded * 100 >= ended * advanceAt.percent
    const isSoaked = now.getTime() - stageStartedAt.getTime() >= advanceAt.soakMs
    if (ended === 0 ? waiting > 0 : !isEnough || !isSoaked) return
    await rollouts.for('advance').updateOne(asSeen, { $set: { stage: stage + 1, stageStartedAt: now } })
  }

  /** One that is over is looked after until the devices that have begun have ended. A paused one stays. */
  async #close({ _id, status }: Rollout, { downloading, installing }: RolloutCounts): Promise<void> {
    if (status === 'paused' || downloading + installing > 0) return
    await this.#parts.rollouts.for('close').updateOne({ _id, status }, { $set: { open: false } })
  }
}
