import { expect, it } from 'vitest'
import { SilenceSweep } from '../../src/devices/silence-sweep.js'
import { aDevice } from '../support/builders.js'
import { testDatabase } from '../support/database.js'
import { SettableClock } from '../support/settable-clock.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()

it('marks a silent device once among many processes, and none when it was ingestion that was away', async () => {
  const clock = new SettableClock()
  const volt = await openVolt(database, { clock })
  await volt.setup()
  const silent: string[] = []
  const onSilent = ({ name }: { readonly name: string }) => void silent.push(name)
  const devices = volt.database.of(volt.devices.entity)
  const sweeps = [1, 2, 3].map(() => new SilenceSweep(volt.database, devices, { silentMs: 300_000, onSilent }))
  const sweep = () => Promise.all(sweeps.map((one) => one.sweep()))
  const seen = { status: 'online' as const, statusAt: clock.now(), lastSeenAt: clock.now() }
  const quiet = await volt.devices.create(aDevice({ name: 'quiet', ...seen }))
  const loud = await volt.devices.create(aDevice({ name: 'loud', ...seen }))
  const speak = (deviceId = loud._id) => {
    const at = clock.now()
    const online = { deviceId, lastSeenAt: at, status: 'online' as const, statusAt: at, switches: [], overrides: [] }
    return volt.devices.recordPresence([online])
  }
  clock.advance(6 * 60_000)
  await speak()
  await sweep()
  expect(silent).toEqual(['quiet'])
  expect(await volt.devices.get(quiet._id)).toMatchObject({ status: 'offline' })
  await sweep()
  expect(silent).toEqual(['quiet'])
  await speak(quiet._id)
  // Nobody is seen: that says nothing of any device, and neither do the first minutes after it.
  clock.advance(30 * 60_000)
  await sweep()
  await speak(quiet._id)
  await sweep()
  expect(silent).toEqual(['quiet'])
  clock.advance(6 * 60_000)
  await speak(quiet._id)
  await sweep()
  expect(silent).toEqual(['quiet', 'loud'])
})
