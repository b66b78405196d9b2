import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import type { Device } from '../../devices/device.js'
import { adjustmentsOf } from '../../energy/adjustments.js'
import { switchStretches } from '../../energy/switch-energy.js'
import type { Ledger } from '../../ledger/ledger.js'
import { splitStretch } from '../../metering/index.js'
import type { Window } from '../matching/compatible.js'
import { slotMs } from '../slots.js'

/** A unit of the market's energy, 0.0001 kWh, in milliwatt-seconds. */
const unitMws = 360_000

type OwnDevice = Pick<Device, '_id' | 'switches' | 'lastSignOfLifeAt' | 'assignments' | 'owner'>

/** What a user's devices gave and took in a quarter hour, one less the other, in whole units of 0.0001 kWh, rounded down. */
export interface SlotFigures {
  readonly given: bigint
  readonly taken: bigint
}

const nothing: SlotFigures = { given: 0n, taken: 0n }

/** Reads from the ledger what users gave and took in each quarter hour. */
export class SlotEnergy {
  readonly #database: Database
  readonly #ledger: Ledger
  readonly #devices: EntityCollection<Device>

  constructor(database: Database, ledger: Ledger, devices: Entity<Device>) {
    this.#database = database
    this.#ledger = ledger
    this.#devices = database.of(devices)
  }

  /**
   * The figures of a user, by the beginnings of quarter hours.
   * @throws DatabaseError `ARCHIVED` for a time whose entries are archived.
   */
  async of(user: ObjectId, { fromMs, untilMs: toMs }: Window): Promise<(slotStartMs: number) => SlotFigures> {
    const netMws = new Map<number, number>()
    const add = (slot: number, mws: number) => netMws.set(slot, (netMws.get(slot) ?? 0) + mws)
    const devices = await this.#devices
      .for('settle')
      .find<OwnDevice>({ owner: user }, { projection: { switches: 1, lastSignOfLifeAt: 1, assignments: 1, owner: 1 } })
    for (const device of devices) {
      const isOwn = (slot: number) => ownerAt(device, slot)?.equals(user) === true
      for (const { _id } of device.switches) {
        const aliveMs = device.lastSignOfLifeAt?.getTime()
        for await (const { stretch } of switchStretches(this.#ledger.facts, _id, { fromMs, toMs }, aliveMs)) {
          for (const part of splitStretch(stretch, cutsOf(stretch))) {
            const slot = slotOf(part.fromMs)
            if (part.fromMs >= fromMs && part.toMs <= toMs && isOwn(slot))
              add(slot, part.producedMws - part.consumedMws)
          }
        }
      }
      const ids = device.switches.map(({ _id }) => _id)
      for (const { timestamp, adjustment } of await adjustmentsOf(
        this.#database,
        this.#ledger,
        { fromMs, toMs },
        ids,
      )) {
        const slot = slotOf(timestamp.getTime())
        const { energyWs, productionWs } = adjustment
        if (isOwn(slot)) add(slot, Math.round(1_000 * productionWs) - Math.round(1_000 * energyWs))
      }
    }
    return (slotStartMs) => figuresOf(netMws.get(slotStartMs))
  }
}

function figuresOf(netMws = 0): SlotFigures {
  if (netMws === 0) return nothing
  const units = BigInt(Math.floor(Math.abs(netMws) / unitMws))
  return netMws > 0 ? { given: units, taken: 0n } : { given: 0n, taken: units }
}

function slotOf(atMs: number): number {
  return Math.floor(atMs / slotMs) * slotMs
}

function cutsOf({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): number[] {
  const first = slotOf(fromMs) + slotMs
  return Array.from({ length: Math.max(0, Math.ceil((toMs - first) / slotMs)) }, (_, at) => first + at * slotMs)
}

/** Whose device it was at an instant: what it was before is kept with the instant from which on it was so no longer. */
function ownerAt({ owner, assignments = [] }: OwnDevice, atMs: number): ObjectId | undefined {
  const earlier = assignments.find(({ until }) => until.getTime() > atMs)
  return earlier === undefined ? owner : earlier.owner
}
