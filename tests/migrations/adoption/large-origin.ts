import { type Db, type Document, ObjectId } from 'mongodb'
import { originDocuments } from './origin-data.js'

/** The collections whose documents belong to devices, with an index that the origin has on each. */
const ofDevices = {
  devices: { macAddress: 1 },
  activitylogs: { deviceId: 1, timestamp: -1 },
  switchstatelogs: { deviceId: 1, timestamp: -1 },
  powerreadings: { deviceId: 1, timestamp: -1 },
  telemetry_events: { device_id: 1 },
  device_consumption_ledger: { device_id: 1 },
  energyconsumptions: { deviceId: 1 },
  dailyconsumptions: { deviceId: 1, date: 1 },
  daily_aggregates: { device_id: 1 },
  monthly_aggregates: { device_id: 1 },
  monthlyconsumptions: { deviceId: 1 },
} as const

/** Loads the school of the fixtures many times over: in each the devices and all that is of them have ids and addresses of their own. */
export async function loadLargeOrigin(db: Db, schools: number): Promise<void> {
  const documents = originDocuments('autovolt')
  for (const [name, found] of documents) {
    if (!Object.hasOwn(ofDevices, name)) await db.collection(name).insertMany(found)
  }
  for (const [name, key] of Object.entries(ofDevices)) await db.collection(name).createIndex(key)
  for (let school = 0; school < schools; school += 1) {
    for (const name of Object.keys(ofDevices)) {
      const own = (documents.get(name) ?? []).map((document) => ofSchool(document, school))
      await db.collection(name).insertMany(own, { ordered: false })
    }
  }
}

function ofSchool(value: Document, school: number): Document {
  return school === 0 ? value : (moved(value, school) as Document)
}

/** With other ids, and other addresses; room names, times and everything else stay. */
function moved(value: unknown, school: number): unknown {
  if (value instanceof ObjectId) return movedId(value.toHexString(), school)
  if (Array.isArray(value)) return value.map((one) => moved(one, school))
  if (typeof value === 'string') return movedText(value, school)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, moved(member, school)]))
}

/** In the same order as those that they are made of. */
function movedId(digits: string, school: number): ObjectId {
  const middle = (Number.parseInt(digits.slice(8, 12), 16) + school).toString(16).padStart(4, '0')
  return new ObjectId(`${digits.slice(0, 8)}${middle}${digits.slice(12)}`)
}

function movedText(text: string, school: number): string {
  if (/^[0-9a-f]{24}$/.test(text)) return movedId(text, school).toHexString()
  const address = /^02(:?)00:?5e:?10:?00:?([0-9a-f]{2})$/i.exec(text)
  if (address === null) return text
  const [, separator = '', last = ''] = address
  const middle = (0x100000 + school).toString(16)
  const parts = ['02', '5e', ...(middle.match(/../g) ?? []), last]
  return /[A-F]/.test(text) ? parts.join(separator).toUpperCase() : parts.join(separator)
}
