import type { ObjectId } from 'mongodb'
import type { DevicePresence } from '../../devices/device-presence.js'
import type { KnownDevice } from '../device-directory.js'
import { hasOwnTime } from '../outdated-report.js'
import type { ReceivedReport } from '../received-report.js'
import type { DeviceReport } from '../report.js'
import { type Claim, type Freshness, freshnessOf, isPresentWill, type KnownRuns, withMessage } from './known-runs.js'

const nothingKnown: KnownRuns = { current: undefined, past: [] }

/** The runs of the devices of a batch: how fresh its messages are, one after the other, and what is known with them. */
export class BatchRuns {
  readonly #before: ReadonlyMap<string, KnownRuns>
  readonly #now: Map<string, KnownRuns>

  /** @param known As the database has it, by the devices' ids in hexadecimal. */
  constructor(known: ReadonlyMap<string, KnownRuns>) {
    this.#before = known
    this.#now = new Map(known)
  }

  /** How fresh the report is; one that is `present` is taken. */
  take(received: ReceivedReport): Freshness {
    const key = received.device.id.toHexString()
    const known = this.#now.get(key) ?? nothingKnown
    const claim = claimOf(received)
    const { report } = received
    if (report.kind === 'status' && !report.online) return isPresentWill(known, claim) ? 'present' : 'not_fresh'
    const freshness = freshnessOf(known, claim)
    if (freshness === 'present') this.#now.set(key, withMessage(known, claim))
    return freshness
  }

  /** What is to be stored of a device's runs; undefined if nothing was learnt. */
  changeOf({ id }: KnownDevice): DevicePresence['run'] {
    const key = id.toHexString()
    const [before = nothingKnown, now = before] = [this.#before.get(key), this.#now.get(key)]
    if (now === before || now.current === undefined) return undefined
    const { latestMs, ...current } = now.current
    const followed = now.past.filter((boot) => !before.past.includes(boot))
    return { ...current, latestAt: new Date(latestMs), after: before.current?.boot, followed }
  }
}

/** The devices whose runs matter to the reports. */
export function devicesWithRuns(
  reports: readonly DeviceReport[],
  find: (device: DeviceReport['device']) => KnownDevice | undefined,
): ObjectId[] {
  const ids = new Map<string, ObjectId>()
  for (const { boot, device } of reports) {
    const known = boot === undefined ? undefined : find(device)
    if (known !== undefined) ids.set(known.id.toHexString(), known.id)
  }
  return [...ids.values()]
}

function claimOf({ report, instant, arrivalMs }: ReceivedReport): Claim {
  const { boot, run, sequence, credential } = report
  return {
    boot,
    run,
    sequence,
    connection: report.kind === 'status' ? report.connection : undefined,
    ownMs: hasOwnTime(report, instant) ? instant.atMs : undefined,
    arrivalMs,
    isVouched: credential.kind !== 'signature',
  }
}
