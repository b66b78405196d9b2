// Compiled, never run: what the types let through and what they refuse.
import {
  AutoVolt,
  type Classroom,
  change,
  type Device,
  defineEntity,
  deviceEntity,
  type EntityChange,
  type PeakHour,
  type ResumeToken,
  validateData,
  where,
} from '@autovolt/data'
import type { ObjectId } from 'mongodb'
import { z } from 'zod'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const isTrue = <T extends true>(): T => true as T

declare const volt: AutoVolt
declare const id: ObjectId

export async function reads(): Promise<void> {
  const room = await volt.classrooms.get(id)
  isTrue<Equal<typeof room.name, string>>()
  isTrue<Equal<typeof room.capacity, number | undefined>>()
  const selected = await volt.devices.find({}, { select: ['name', 'macAddress'] })
  isTrue<Equal<keyof (typeof selected)[number], 'name' | 'macAddress' | '_id'>>()
  // @ts-expect-error Not selected.
  selected[0]?.classroom
  isTrue<Equal<typeof room.deletedAt, Date | null>>()
  // @ts-expect-error Nothing marks a quarantined message as deleted: it goes.
  ;(await volt.quarantine.find())[0]?.deletedAt
  // @ts-expect-error What is in quarantine goes by replay, or for age or number, and is counted.
  await volt.quarantine.delete(id)
  isTrue<Equal<Awaited<ReturnType<typeof volt.quarantine.revealSecret>>, string>>()
  // @ts-expect-error A secret is not part of what is read.
  ;(await volt.devices.get(id)).secret
  // @ts-expect-error No such field.
  await volt.devices.find({}, { select: ['nmae'] })
  await volt.users.find({ isActive: true, role: 'faculty' })
  // @ts-expect-error Either it is or it is not.
  await volt.users.find({ isActive: 'yes' })
  // @ts-expect-error Of users only.
  await volt.devices.find({ isActive: true })
  // @ts-expect-error A password is not part of what is read.
  ;(await volt.users.get(id)).password
  const slice = await volt.devices.after({ classroom: id }, { sort: { name: 1 } })
  isTrue<Equal<typeof slice.nextCursor, string | null>>()
  for await (const event of await volt.classrooms.watch()) {
    const typed: EntityChange<Classroom> = event
    isTrue<Equal<typeof typed.resumeToken, ResumeToken>>()
    await volt.classrooms.watch({}, { resumeAfter: typed.resumeToken })
  }
  // @ts-expect-error A token, not a number.
  await volt.classrooms.watch({}, { resumeAfter: 5 })
  const hours = await volt.analytics.peakHours({ from: '2026-03-01', to: '2026-03-02' })
  isTrue<Equal<typeof hours.completeUntil, Date | null>>()
  isTrue<Equal<(typeof hours)[number], PeakHour>>()
  volt.start({ rollUps: { everyMs: 1000 }, checkpoints: false })
  // @ts-expect-error Nothing of that name is kept.
  volt.start({ rollups: false })
}

export async function filters(): Promise<void> {
  await volt.devices.find({ status: 'online', lastSeenAt: where.lt(new Date()) })
  await volt.devices.find({ status: where.in(['online', 'offline']), 'switches.gpio': where.gte(16) })
  await volt.devices.find(where.or({ name: 'a' }, { name: where.startsWith('b') }))
  await volt.devices.find({ 'boot.id': 'b1' })
  // @ts-expect-error Operators come from where, not from objects.
  await volt.devices.find({ name: { $gt: '' } })
  // @ts-expect-error Not a status.
  await volt.devices.find({ status: 'asleep' })
  // @ts-expect-error No such field.
  await volt.devices.find({ colour: 'red' })
  // Ids and instants may be given as texts.
  await volt.devices.find({ lastSeenAt: where.lt('2026-01-01T00:00:00Z'), classroom: '65f0a1b2c3d4e5f6a7b8c9d0' })
  await volt.devices.find({ _id: where.in(['65f0a1b2c3d4e5f6a7b8c9d0']), 'switches._id': '65f0a1b2c3d4e5f6a7b8c9d0' })
  // @ts-expect-error A date is compared with dates, or texts of dates.
  await volt.devices.find({ lastSeenAt: where.lt(5) })
  // @ts-expect-error No such field below switches.
  await volt.devices.find({ 'switches.colour': 'red' })
  await volt.devices.find({ deletedAt: where.ne(null) }, { withDeleted: true, sort: { 'switches.gpio': 1 } })
  // @ts-expect-error No such field below switches.
  await volt.devices.find({}, { sort: { 'switches.colour': 1 } })
  // @ts-expect-error 1 or -1.
  await volt.devices.find({}, { sort: { name: 'ascending' } })
}

export async function writes(body: unknown): Promise<void> {
  // A schema carries what it gives.
  await volt.devices.create(validateData(deviceEntity.inputSchema, body))
  await volt.devices.create({ name: 'd', macAddress: 'AABBCCDDEEFF', classroom: '65f0a1b2c3d4e5f6a7b8c9d0' })
  // @ts-expect-error A device has a name.
  await volt.devices.create({ macAddress: 'AABBCCDDEEFF' })
  // @ts-expect-error No such field.
  await volt.classrooms.create({ name: 'r', colour: 'red' })
  await volt.classrooms.update(id, { capacity: change.inc(1), floor: change.unset() }, { version: 3 })
  await volt.devices.update(id, { switches: change.push({ name: 's', gpio: 1, powerRating: 5 }) })
  await volt.devices.update(id, { switches: change.pull({ gpio: 1 }), secret: change.unset() })
  await volt.devices.update(id, { lastSeenAt: change.max(new Date()), 'switches.0.maximumPower': change.unset() })
  // @ts-expect-error A switch needs a gpio.
  await volt.devices.update(id, { switches: change.push({ name: 's', powerRating: 5 }) })
  // @ts-expect-error A device has a name.
  await volt.devices.update(id, { name: change.unset() })
  // @ts-expect-error Its switches are there in every document, filled in or not.
  await volt.devices.update(id, { switches: change.unset() })
  // @ts-expect-error A switch has a name.
  await volt.devices.update(id, { 'switches.0.name': change.unset() })
  await volt.devices.revealSecret(id, 'secret')
  // @ts-expect-error Not a secret.
  await volt.devices.revealSecret(id, 'name')
  // @ts-expect-error Only numbers grow.
  await volt.classrooms.update(id, { name: change.inc(1) })
  // @ts-expect-error The library alone sets it.
  await volt.classrooms.update(id, { createdAt: new Date() })
  // @ts-expect-error Entries are appended, never changed.
  await volt.ledger.update(id, { powerState: true })
  // @ts-expect-error Nor deleted.
  await volt.ledger.delete(id)
}

export async function extensions(): Promise<void> {
  const devices = deviceEntity.extend({ fields: { assetTag: z.string() } })
  const extended = await AutoVolt.open({ uri: 'mongodb://localhost', entities: { devices } })
  const device = await extended.devices.get(id)
  const plain: Device = device
  isTrue<Equal<typeof device.assetTag, string>>()
  await extended.devices.find({ assetTag: 'A-1', name: plain.name })
  // @ts-expect-error The host's field is needed too.
  await extended.devices.create({ name: 'd', macAddress: 'AABBCCDDEEFF', classroom: id })
  // @ts-expect-error This handle's devices have no such field.
  await volt.devices.find({ assetTag: 'A-1' })
}

export async function ownEntities(): Promise<void> {
  const visit = defineEntity({
    name: 'visit',
    collection: 'visits',
    fields: { who: z.string(), minutes: z.int().default(5) },
  })
  const visits = volt.repository(visit)
  const created = await visits.create({ who: 'Ann' })
  isTrue<Equal<typeof created.minutes, number>>()
  // @ts-expect-error Minutes are a number.
  await visits.create({ who: 'Ann', minutes: 'five' })
}
