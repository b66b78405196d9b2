import type { AutoVolt } from '@autovolt/data'
import { type GroupContext, type Row, valueRow } from '../harness.js'
import { idOf, macOf, perRoom } from './fleet.js'

const calls = 300

/** The first pages of all that a request would wait for. Milliseconds that 95 of 100 calls take at most. */
export async function benchQueries(volt: AutoVolt, { documents, say }: GroupContext): Promise<Row[]> {
  say('devices: finding them')
  const rooms = Math.max(1, Math.floor(documents / perRoom))
  const place = (n: number) => ({ latitude: ((n * 13) % 160) - 80, longitude: ((n * 29) % 340) - 170, distanceKm: 500 })
  const queries: Readonly<Record<string, (n: number) => Promise<unknown>>> = {
    'find-by-mac-address': (n) => volt.devices.findByMacAddress(macOf((n * 7919) % documents)),
    'find-by-switch': (n) => volt.devices.findBySwitch(idOf('switch', (n * 7919) % documents)),
    'find-by-classroom': (n) => volt.devices.findByClassroom(idOf('room', (n * 7919) % rooms), { limit: 50 }),
    'search-all': () => volt.devices.searchDevices({}),
    'search-words': (n) => volt.devices.searchDevices({ words: `maker ${n % 2_000}` }),
    'search-status': () => volt.devices.searchDevices({ status: 'offline' }),
    'search-type': () => volt.devices.searchDevices({ type: 'solar_panel' }),
    'search-capability': () => volt.devices.searchDevices({ capability: 'dimming' }),
    'search-role': () => volt.devices.searchDevices({ energyRole: 'production' }),
    'search-owner': (n) => volt.devices.searchDevices({ owner: idOf('owner', n % 10_000) }),
    'search-near': (n) => volt.devices.searchDevices({ near: place(n) }),
  }
  const rows: Row[] = []
  for (const [name, call] of Object.entries(queries)) {
    rows.push(valueRow(`devices.${name}`, 'ms p95', { value: await percentile95(call) }, { atMost: 10 }))
  }
  return rows
}

export async function percentile95(call: (n: number) => Promise<unknown>, count = calls): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < count; n += 1) {
    const startedMs = performance.now()
    await call(n)
    times.push(performance.now() - startedMs)
  }
  return times.sort((a, b) => a - b)[Math.floor(count * 0.95)] ?? Number.NaN
}
