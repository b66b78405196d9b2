import type { AutoVolt } from '@autovolt/data'
import { ObjectId } from 'mongodb'
import type { GroupContext } from '../harness.js'

const batch = 10_000
export const perRoom = 50
const types = ['esp32', 'esp32', 'esp32', 'smart_plug', 'solar_panel']

/** The id of the n-th device, of a switch of it, of a room, or of an owner. */
export function idOf(kind: 'device' | 'switch' | 'room' | 'owner', n: number): ObjectId {
  const digit = { device: 'a', switch: 'b', room: 'c', owner: 'd' }[kind]
  return ObjectId.createFromHexString(`${digit}${(n + 1).toString(16).padStart(23, '0')}`)
}

export function macOf(n: number): string {
  return (`02${n.toString(16).padStart(10, '0')}`.toUpperCase().match(/../g) ?? []).join(':')
}

/** Through the driver: what is measured is what is done with them. */
export async function fillDevices(volt: AutoVolt, { documents, say }: GroupContext): Promise<void> {
  say(`devices: ${documents} devices`)
  const collection = volt.database.native.collection('devices')
  const now = new Date()
  for (let start = 0; start < documents; start += batch) {
    const made = Array.from({ length: Math.min(batch, documents - start) }, (_, at) => deviceOf(start + at, now))
    await collection.insertMany(made, { ordered: false })
  }
}

function deviceOf(n: number, now: Date) {
  return {
    _id: idOf('device', n),
    name: `Device ${n.toString().padStart(8, '0')}`,
    type: types[n % types.length],
    protocol: 'mqtt',
    macAddress: macOf(n),
    externalId: `id-${n}`,
    classroom: idOf('room', Math.floor(n / perRoom)),
    owner: idOf('owner', n % 10_000),
    assignedUsers: [],
    manufacturer: `Maker ${n % 2_000}`,
    service: 'active',
    capabilities: n % 100 === 0 ? [{ name: 'dimming', type: 'integer', readable: true, writable: true }] : [],
    energyRole: n % 10 === 0 ? 'production' : 'consumption',
    switches: [16, 17].map((gpio, at) => ({
      _id: idOf('switch', 2 * n + at),
      name: `Switch ${gpio}`,
      gpio,
      type: 'light',
      powerRating: 60,
      energySource: 'rated',
      manualOverride: false,
    })),
    location: {
      point: { type: 'Point', coordinates: [((n * 7) % 36_000) / 100 - 180, ((n * 3) % 17_000) / 100 - 85] },
    },
    status: n % 4 === 0 ? 'offline' : 'online',
    lastSeenAt: new Date(now.getTime() - (n % 100_000)),
    createdAt: now,
    updatedAt: now,
    __v: 0,
    deletedAt: null,
  }
}
