// Sees the doors of a building open and close, all of it in order, at a pace of its own, and says so each time.
import { setTimeout as sleep } from 'node:timers/promises'
import { AutoVolt } from '@autovolt/data'
import { onParentMessage, tellParent } from '../../support/parent.js'

const { MONGODB_URI = '', DB_NAME = '', DOORS = '1', TURNS = '0', LONGEST_PAUSE_MS = '0' } = process.env
const volt = await AutoVolt.open({ uri: MONGODB_URI, dbName: DB_NAME })
const startMs = Date.parse('2026-03-02T08:00:00Z')
const minuteMs = 60_000

async function watchDoor(door: number): Promise<void> {
  const key = `door:${door}`
  for (let turn = 0; turn < Number(TURNS); turn += 1) {
    const openedMs = startMs + turn * 10 * minuteMs
    const alert = { key, type: 'door_open', source: 'doors', severity: 'medium', message: 'Open' } as const
    await volt.alerts.raise({ ...alert, timestamp: new Date(openedMs) })
    await sleep(Math.random() * Number(LONGEST_PAUSE_MS))
    // It is looked at once more while it is open.
    await volt.alerts.raise({ ...alert, timestamp: new Date(openedMs + minuteMs) })
    await sleep(Math.random() * Number(LONGEST_PAUSE_MS))
    await volt.alerts.clear({ key, at: new Date(openedMs + 2 * minuteMs) })
  }
}

await volt.health()
onParentMessage('go', () => {
  void Promise.all(Array.from({ length: Number(DOORS) }, (_, door) => watchDoor(door))).then(
    () => tellParent({ type: 'done' }),
    (error: unknown) => tellParent({ type: 'failed', reason: String(error) }),
  )
})
tellParent({ type: 'ready' })
