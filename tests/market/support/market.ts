import type { AutoVolt, MarketAreaInput, OrderInput } from '@autovolt/data'
import { ObjectId } from 'mongodb'
import { aDevice } from '../../support/builders.js'
import type { TestDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'

/** The time in the tests: a clock that stands still until it is set. */
export class StandingClock {
  #now: Date
  constructor(now: string) {
    this.#now = new Date(now)
  }
  now(): Date {
    return this.#now
  }
  set(now: string): void {
    this.#now = new Date(now)
  }
}

export interface TestMarket {
  readonly volt: AutoVolt
  readonly clock: StandingClock
}

export async function openMarket(
  database: Pick<TestDatabase, 'uri' | 'dbName'>,
  now = '2026-03-02T09:00:00Z',
): Promise<TestMarket> {
  const clock = new StandingClock(now)
  const volt = await openVolt(database, { clock })
  await volt.setup()
  return { volt, clock }
}

let users = 0

/** A user of a type with a device that has shown who it is. */
export async function aTrader(
  volt: AutoVolt,
  userType: 'consumer' | 'prosumer' | 'producer' = 'prosumer',
  device: Readonly<Record<string, unknown>> = { energyRole: 'production', type: 'solar_inverter' },
): Promise<ObjectId> {
  users += 1
  const { _id } = await volt.users.create({ name: `Trader ${users}`, email: `trader-${users}@example.org`, userType })
  const { _id: deviceId } = await volt.devices.create(aDevice({ owner: _id, ...device }))
  const shown = { $set: { lastSignOfLifeAt: new Date('2026-03-02T08:00:00Z') } }
  await volt.database.native.collection('devices').updateOne({ _id: deviceId }, shown)
  return _id
}

export async function anArea(volt: AutoVolt, terms: Partial<MarketAreaInput> = {}): Promise<ObjectId> {
  const { _id } = await volt.market.areas.create({ name: `Area ${new ObjectId().toHexString()}`, ...terms })
  return _id
}

/** Money of a user, from outside. */
export async function deposit(volt: AutoVolt, area: ObjectId, to: ObjectId, amount: string): Promise<void> {
  await volt.market.transfer({ area, type: 'token_transfer', to, amount, key: new ObjectId().toHexString() })
  await volt.market.run()
}

/** An order for the afternoon. */
export function anOrder(order: Pick<OrderInput, 'area' | 'user' | 'side'> & Partial<OrderInput>): OrderInput {
  return {
    energyKwh: '2.5',
    pricePerKwh: '0.2',
    availableFrom: '2026-03-02T12:00:00Z',
    availableUntil: '2026-03-02T14:00:00Z',
    key: new ObjectId().toHexString(),
    ...order,
  }
}
