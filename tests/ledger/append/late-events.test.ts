import mongoose from 'mongoose'
import { beforeAll, describe, expect, it } from 'vitest'
import { AutoVolt } from '../../../src/autovolt.js'
import { factOf, inOrder } from '../../../src/ledger/facts/fact.js'
import { sumOf } from '../../../src/ledger/facts/register.js'
import { SwitchMeter } from '../../../src/ledger/facts/switch-meter.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { setUpDatabase } from '../../support/database.js'
import { full } from '../../support/extent.js'
import { chainOf, expectSound } from '../support/chains.js'
import { anEvent, aSwitchInLedger, at, type HostEvent } from '../support/events.js'

const database = setUpDatabase()
const count = full ? 3000 : 1200
const batchSize = count / 6
/** A month. */
const stepSeconds = (30 * 86_400) / count
let volt: AutoVolt
let queries = 0

beforeAll(async () => {
  const connection = mongoose.createConnection(database.uri, { dbName: database.dbName, monitorCommands: true })
  cleanUpLater(() => connection.destroy())
  await connection.asPromise()
  volt = AutoVolt.attach(connection)
  await volt.setup()
  volt.database.client.on('commandStarted', ({ command }) => {
    if (command.find === 'power_consumption_ledger') queries += 1
  })
})

const kinds: Readonly<Record<string, (n: number) => Partial<HostEvent>>> = {
  powers: (n) => ({ energySource: 'power', reading: { powerW: 50 + (n % 7) } }),
  counters: (n) => ({ energySource: 'counter', reading: { energyWh: 1000 + n, counterQuantumWh: 1 } }),
  'a counter that stands still': (n) => ({
    energySource: 'counter',
    reading: { energyWh: Math.min(n, 500), counterQuantumWh: 1 },
  }),
  states: (n) => ({
    energySource: 'rated',
    reading: undefined,
    eventType: n % 2 === 0 ? 'switch_on' : 'switch_off',
    powerState: n % 2 === 0,
  }),
}

/** A month of a switch, in an order as good as random: each step of a prime leads somewhere else. */
function shuffledMonth(own: ReturnType<typeof aSwitchInLedger>, kind: string): HostEvent[] {
  return Array.from({ length: count }, (_, place) => {
    const n = (place * 1237) % count
    return anEvent({
      ...own,
      timestamp: at(n * stepSeconds),
      eventType: 'power_reading',
      ...kinds[kind]?.(n),
      idempotencyKey: `n${n}`,
    })
  })
}

describe.each(Object.keys(kinds))('a month of %s in random order', (kind) => {
  it('comes to what it comes to in order, and takes a few queries for each batch', async () => {
    const own = aSwitchInLedger()
    const events = shuffledMonth(own, kind)
    queries = 0
    for (let from = 0; from < count; from += batchSize) await volt.ledger.append(events.slice(from, from + batchSize))
    // One for each late event would be as many as there are events.
    expect(queries).toBeGreaterThan(0)
    expect(queries).toBeLessThan(20 * (count / batchSize))
    const entries = await chainOf(database.db, own.switchId)
    expect(entries).toHaveLength(count)
    expectSound(entries)
    const { consumedMws } = sumOf(new SwitchMeter().take(inOrder(events.flatMap((event) => factOf(event) ?? []))))
    expect(Math.round((entries.at(-1)?.cumulativeEnergy ?? 0) * 1000)).toBe(consumedMws)
  })
})

it('a batch of late events of many switches takes as few', async () => {
  const switches = Array.from({ length: 50 }, () => aSwitchInLedger())
  const monthOf = (n: number) =>
    switches.map((own) => anEvent({ ...own, timestamp: at(n * stepSeconds), reading: { powerW: 60 + n } }))
  await volt.ledger.append(Array.from({ length: 40 }, (_, at) => 50 * at).flatMap(monthOf))
  // As after a restart: of each chain it knows the end.
  const other = AutoVolt.attach(volt.database.connection)
  await other.ledger.append(monthOf(2001))
  queries = 0
  await other.ledger.append([25, 575, 225].flatMap(monthOf))
  expect(queries).toBeGreaterThan(0)
  expect(queries).toBeLessThan(40)
  const [first] = switches
  const entries = await chainOf(database.db, first!.switchId)
  expect(entries).toHaveLength(44)
  expectSound(entries)
})
