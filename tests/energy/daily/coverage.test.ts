import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import type { HostEvent } from '../../ledger/support/events.js'
import { histories, rooms } from '../../ledger/support/histories.js'
import { aClassroom, aDevice, aSwitch } from '../../support/builders.js'
import { setUpDatabase } from '../../support/database.js'
import { runs } from '../../support/extent.js'
import { openVolt } from '../../support/volt.js'

const database = setUpDatabase()
/** Keeps roll-ups, and takes them for what they cover. */
let volt: AutoVolt
/** Knows of no roll-ups: what it answers is what the ledger alone says. */
let alone: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
  const collections = { dailyAggregates: 'no_days', monthlyAggregates: 'no_months', rollUpCursors: 'no_cursors' }
  alone = await openVolt(database, { collections })
  await alone.setup()
})

beforeEach(empty)

async function empty(): Promise<void> {
  for (const { name } of await database.db.listCollections().toArray()) {
    if (!name.startsWith('system.')) await database.db.collection(name).deleteMany({})
  }
}

const startMs = Date.parse('2026-03-01T10:00:00Z')
const zones = ['UTC', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Pacific/Kiritimati', 'America/St_Johns']
const spring = { from: '2026-02-20', to: '2026-05-10' }

type Draw = (below: number) => number

/** Two devices in two rooms; switches that moved from one to the other in the course of their histories. */
async function aSchool(draw: Draw, histories: readonly (readonly HostEvent[])[]) {
  await volt.classrooms.createMany(
    rooms.map((_id) => ({ ...aClassroom({ timeZone: zones[draw(zones.length)] as string }), _id })),
  )
  const ids = histories.map(() => new ObjectId())
  const [first, second] = await volt.devices.createMany([
    aDevice({ classroom: rooms[0], switches: ids.map((_id, n) => aSwitch({ _id, gpio: 16 + n })) }),
    aDevice({ classroom: rooms[1], switches: [aSwitch()] }),
  ])
  // Minutes, hours or days between what happens.
  const times = [1, 7, 60][draw(3)] as number
  const later = (at: Date) => new Date(startMs + (at.getTime() - startMs) * times)
  const events = histories.flatMap((history, n) =>
    history.map((event): HostEvent => {
      const device = event.classroom.equals(rooms[0]) ? first : second
      const silentSince = event.silentSince && later(event.silentSince)
      const idempotencyKey = `${n} ${event.idempotencyKey}`
      return {
        ...event,
        switchId: ids[n] as ObjectId,
        deviceId: device?._id as ObjectId,
        timestamp: later(event.timestamp),
        silentSince,
        idempotencyKey,
      }
    }),
  )
  return { device: first?._id as ObjectId, events }
}

function adjustmentOf(event: HostEvent, draw: Draw): HostEvent {
  return {
    ...event,
    eventType: 'manual_adjustment',
    reading: undefined,
    silentSince: undefined,
    adjustment: { energyWs: draw(2000) - 1000, productionWs: draw(3), cost: draw(1000) / 8 },
    idempotencyKey: `adjustment of ${event.idempotencyKey} ${draw(1_000_000)}`,
  }
}

const instant = (draw: Draw) => new Date(startMs + (draw(20) - 8) * 21_600_000 + (draw(2) === 0 ? 0 : draw(7_200_000)))
const dayOf = (date: Date) => date.toISOString().slice(0, 10)

async function changePrices(draw: Draw): Promise<void> {
  const tariff = ['default', 'other'][draw(2)] as string
  const versions = await volt.tariffs.list(tariff)
  if (versions.length > 0 && draw(4) === 0) {
    await volt.tariffs.remove((versions[draw(versions.length)] as (typeof versions)[number])._id)
    return
  }
  const bands = [{ from: '16:07', to: '18:30', pricePerKwh: 0.123456 }]
  await volt.tariffs.set({
    tariff,
    currency: tariff === 'default' ? 'EUR' : 'JPY',
    startsAt: draw(3) === 0 ? new Date('2020-01-01') : instant(draw),
    pricePerKwh: draw(500) / 1000,
    ...(draw(3) === 0 && { bands }),
  })
}

async function changeRoom(draw: Draw): Promise<void> {
  const room = rooms[draw(2)] as ObjectId
  if (draw(3) === 0) await volt.classrooms.update(room, { timeZone: zones[draw(zones.length)] as string })
  else await volt.classrooms.update(room, { tariff: ['default', 'other'][draw(2)] as string })
}

async function keep(draw: Draw): Promise<void> {
  const work = draw(12)
  if (work < 7) await volt.rollUps.update()
  else if (work < 9) await volt.rollUps.recost()
  else if (work === 9) await volt.rollUps.rebuild(spring)
  else if (work === 10) {
    const from = dayOf(instant(draw))
    await volt.rollUps.rebuild({ from, to: from })
  } else {
    for (const name of ['daily_aggregates', 'monthly_aggregates', 'rollup_cursors'])
      await database.db.collection(name).deleteMany({})
  }
}

async function compare(draw: Draw): Promise<void> {
  const [one, other] = [dayOf(instant(draw)), dayOf(instant(draw))].sort() as [string, string]
  const range = draw(2) === 0 ? spring : { from: one, to: other }
  expect(await volt.energy.dailyByClassroom(range)).toEqual(await alone.energy.dailyByClassroom(range))
  expect(await volt.energy.dailyBySwitch(range)).toEqual(await alone.energy.dailyBySwitch(range))
}

const cases = runs(3)

it.each([['rated'], ['power'], ['counter'], ['rated', 'power', 'counter']] as const)(
  'is what the ledger alone says, whenever roll-ups were kept, of what, and at which prices (%s)',
  { timeout: 180_000 + cases * 100_000 },
  async (...sources) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(histories(...sources), { minLength: 1, maxLength: 3 }),
        fc.infiniteStream(fc.nat()),
        async (given, stream) => {
          await empty()
          const draw: Draw = (below) => (stream.next().value as number) % below
          const { device, events } = await aSchool(draw, given)
          const left = [...events]
          while (left.length > 0) {
            // Mostly in order, some late, some twice.
            const batch = Array.from({ length: 1 + draw(9) }, () =>
              left.splice(draw(3) === 0 ? draw(left.length) : 0, 1),
            )
            const fresh = batch.flat()
            const [first] = fresh
            if (first !== undefined && draw(4) === 0) fresh.push(adjustmentOf(first, draw))
            await volt.ledger.append(draw(3) === 0 ? [...fresh, ...fresh.slice(0, 1)] : fresh)
            if (draw(2) === 0) await keep(draw)
            if (draw(4) === 0) await changePrices(draw)
            if (draw(6) === 0) await changeRoom(draw)
            if (draw(4) === 0) await volt.devices.update(device, { lastSignOfLifeAt: instant(draw) })
            if (draw(4) === 0) await compare(draw)
          }
          await compare(draw)
          await volt.rollUps.update()
          await compare(draw)
        },
      ),
      { numRuns: cases },
    )
  },
)
