import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { aClassroom, aDevice } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { full } from '../support/extent.js'
import { runPython } from '../support/python.js'
import { openVolt } from '../support/volt.js'

const file = new URL('../../../shared/data/gaps_2011-11.csv.gz', import.meta.url)

/** The readings of a plug by time; of those of one second the last one. In November and December Berlin is an hour ahead. */
function readingsOf(device: string, appliance: string, before: string) {
  const rows = gunzipSync(readFileSync(file)).toString().split('\n')
  const own = rows.filter((row) => row.startsWith(`${device},${appliance},`)).map((row) => row.split(','))
  const taken = own.filter(([, , , local = '']) => local < before)
  const bySecond = new Map(taken.map(([, , , local = '', power]) => [Date.parse(`${local}+01:00`), Number(power)]))
  return [...bySecond].map(([atMs, power]) => ({ atMs, power })).toSorted((one, other) => one.atMs - other.atMs)
}

describe.skipIf(!existsSync(file))('the readings of plugs of 2011 (../shared/data)', () => {
  it.each([
    [
      'dev_B1C121',
      'Coffeemaker',
      {
        raise: 400,
        clear: 20,
        hold: 5,
        clearHold: 60,
        gap: 60,
        weekdays: [1, 2, 3, 4, 5],
        from: '06:00',
        until: '15:30',
        before: full ? '2012' : '2011-12-14',
      },
    ],
    [
      'device_4BEA01',
      'Refrigerator',
      {
        raise: 40,
        clear: 10,
        hold: 300,
        clearHold: 30,
        gap: 30,
        weekdays: [4, 5],
        from: '20:00',
        until: '08:30',
        before: '2012',
      },
    ],
  ])(
    'of %s, a %s, raise the alerts that an independent program expects',
    async (name, appliance, limits) => {
      const readings = readingsOf(name, appliance, limits.before)
      const database = setUpDatabase()
      const time = { nowMs: (readings[0]?.atMs ?? 0) - 1 }
      const volt = await openVolt(database, { clock: { now: () => new Date(time.nowMs) } })
      await volt.setup()
      const room = await volt.classrooms.create(aClassroom({ timeZone: 'Europe/Berlin' }))
      const device = await volt.devices.create(aDevice({ classroom: room._id }))
      await volt.alertRules.create({
        name: 'Too much',
        kind: 'over_power',
        severity: 'low',
        raiseAt: limits.raise,
        clearAt: limits.clear,
        holdMs: 1_000 * limits.hold,
        clearHoldMs: 1_000 * limits.clearHold,
        gapMs: 1_000 * limits.gap,
        times: [{ weekdays: limits.weekdays, from: limits.from, until: limits.until }],
      })
      await volt.alertRules.run({ lateMs: 0 })
      const batch = 10_000
      for (let at = 0; at < readings.length; at += batch) {
        const some = readings.slice(at, at + batch)
        time.nowMs = (some.at(-1)?.atMs ?? 0) + 1_000
        await volt.measurements.insert(
          some.map(({ atMs, power }) => ({ timestamp: new Date(atMs), meta: { device: device._id }, power })),
        )
        await volt.alertRules.run({ lateMs: 0 })
      }
      const found = await volt.alerts.find({}, { sort: { timestamp: 1 }, limit: 1_000 })
      const path = fileURLToPath(file)
      const { output } = await runPython('incidents/replay.py', [path, name, appliance, JSON.stringify(limits)])
      const expected: unknown[] = JSON.parse(output)
      expect(expected.length).toBeGreaterThan(3)
      expect(
        found.map(({ timestamp, resolvedAt }) => [timestamp.toISOString(), resolvedAt?.toISOString() ?? null]),
      ).toEqual(expected)
    },
    300_000,
  )
})
