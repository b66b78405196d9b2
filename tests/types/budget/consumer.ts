// What a service does with ten entities, compiled against the built declarations.
import { AutoVolt, change, defineEntity, deviceEntity, objectId, where } from '@autovolt/data'
import { startIngestion } from '@autovolt/data/mqtt'
import { z } from 'zod'

const visits = defineEntity({
  name: 'visit',
  collection: 'visits',
  fields: { room: objectId(), who: z.string(), minutes: z.int() },
})
const repairs = defineEntity({
  name: 'repair',
  collection: 'repairs',
  fields: { device: objectId(), cost: z.number(), done: z.boolean() },
})
const keys = defineEntity({ name: 'key', collection: 'keys', fields: { room: objectId(), holder: z.string() } })
const notes = defineEntity({
  name: 'note',
  collection: 'notes',
  fields: { text: z.string(), tags: z.array(z.string()) },
})
const devices = deviceEntity.extend({ fields: { assetTag: z.string() } })

export async function main(): Promise<unknown[]> {
  const volt = await AutoVolt.open({
    uri: 'mongodb://localhost',
    dbName: 'school',
    entities: { devices },
    hostEntities: [visits, repairs, keys, notes],
  })
  await volt.setup()
  const room = await volt.classrooms.create({ name: 'Room 101', timeZone: 'Asia/Kolkata' })
  const device = await volt.devices.create({
    name: 'd',
    macAddress: 'AABBCCDDEEFF',
    classroom: room._id,
    assetTag: 'A-1',
  })
  const { items } = await volt.classrooms.page(
    { name: where.startsWith('Room') },
    { sort: { name: 1 }, select: ['name'] },
  )
  const online = await volt.devices.find(
    { status: 'online', 'switches.gpio': where.gte(16) },
    { select: ['name', 'assetTag'] },
  )
  await volt.devices.update(device._id, { assetTag: 'A-2', 'switches.0.name': 'x' })
  await volt.powerSettings.upsert({ name: 'default' }, { electricityPrice: 7.5, currency: 'INR' })
  const visit = await volt.repository(visits).create({ room: room._id, who: 'Ann', minutes: 5 })
  await volt.repository(visits).update(visit._id, { minutes: change.inc(5) })
  const repair = await volt.repository(repairs).after({ device: device._id }, { sort: { _id: 1 } })
  const held = await volt.repository(keys).findOne({ room: room._id })
  const tagged = await volt.repository(notes).find({ tags: 'urgent' })
  const entries = await volt.ledger.find({ switchId: device._id, timestamp: where.gte(new Date()) })
  const activities = await volt.activities.find({ deviceId: device._id }, { sort: { timestamp: -1 } })
  const quarantined = await volt.quarantine.count({ reason: 'unauthorized' })
  const ingestion = await startIngestion(volt, { url: 'mqtt://localhost' })
  await ingestion.close()
  return [items, online, repair.items, held?.holder, tagged, entries, activities, quarantined]
}
