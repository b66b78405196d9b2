import { type Document, ObjectId } from 'mongodb'
import { expect } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { setUpDatabase, type TestDatabase, testDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'

export const device = new ObjectId()
export const lamp = new ObjectId()
export const secret = 'invented-device-secret-1'
export const time = (hour: number) => new Date(Date.UTC(2025, 10, 1, hour))
let addresses = 0

/** A device of the origin with one switch, and what is said of it. */
export function deviceOf(fields: Document): Document {
  addresses += 1
  const macAddress = `02:00:00:00:00:${addresses.toString(16).padStart(2, '0')}`
  const one = { _id: new ObjectId(), name: 'Lamp', relayGpio: 16, type: 'light', powerRating: 40 }
  return { _id: new ObjectId(), name: 'Device', macAddress, classroom: 'Room A', switches: [one], ...fields }
}

export function logOf(hour: number, fields: Document): Document {
  return { deviceId: device, switchId: lamp, switchName: 'Lamp', action: 'on', timestamp: time(hour), ...fields }
}

export const lampSwitch = { _id: lamp, name: 'Lamp', relayGpio: 16, type: 'light', powerRating: 40 }

type Documents = Readonly<Record<string, readonly Document[]>>

/** Adopts these documents besides one device, and what was assessed before is what is done then. */
export async function adopted(
  documents: Documents,
  prepare: (volt: AutoVolt) => Promise<unknown> = async () => undefined,
) {
  const [origin, target] = [testDatabase(), setUpDatabase()]
  const own = deviceOf({ _id: device, deviceSecret: secret, switches: [lampSwitch] })
  const all = { ...documents, devices: [own, ...(documents.devices ?? [])] }
  for (const [name, found] of Object.entries(all)) await origin.db.collection(name).insertMany([...found])
  const volt = await openVolt(target)
  await prepare(volt)
  const options = { from: origin.dbName, timeZone: 'Asia/Kolkata' }
  const assessment = await volt.migrations.assessAdoption(options)
  const report = await volt.migrations.adopt(options)
  expect(report.collections).toEqual(assessment.collections)
  expect(report.adopted).toEqual(assessment.adopted)
  return { origin, target, volt, assessment, report, options, reasons: await reasonsIn(target) }
}

export async function reasonsIn({ db }: TestDatabase): Promise<string[]> {
  const found = await db.collection('adoption_rejects').find().sort({ _id: 1 }).toArray()
  return found.map(({ kind, originCollection, reason }) => `${kind} ${originCollection}: ${reason}`)
}
