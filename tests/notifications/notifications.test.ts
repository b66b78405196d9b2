import { setTimeout as sleep } from 'node:timers/promises'
import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import {
  type ChannelMessage,
  type DeliveryChannel,
  DeliveryRefusedError,
} from '../../src/notifications/delivery-channel.js'
import type { NotificationEvent } from '../../src/notifications/notification-feed.js'
import type { NotificationInput } from '../../src/notifications/notification-input.js'
import { aClassroom, aUser } from '../support/builders.js'
import { testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
let now = new Date('2037-03-02T12:00:00Z')
let sent: { channel: string; message: ChannelMessage }[] = []
let deliver: (channel: string, message: ChannelMessage) => Promise<void> = async () => undefined
const channel = (name: string): DeliveryChannel => ({
  name,
  deliver: async (message) => {
    await deliver(name, message)
    sent.push({ channel: name, message })
  },
})
let volt: AutoVolt

beforeAll(async () => {
  const channels = [
    channel('email'),
    channel('push'),
    { ...channel('sms'), isWanted: ({ language }) => language === 'hi' },
  ] satisfies DeliveryChannel[]
  volt = await openVolt(database, { clock: { now: () => now }, notifications: { channels, maximumAttempts: 3 } })
  await volt.setup()
})

beforeEach(async () => {
  at('2037-03-02T12:00:00Z')
  sent = []
  deliver = async () => undefined
  await database.db.collection('notification_deliveries').deleteMany({})
})

async function aReader(
  preferences: Parameters<AutoVolt['userPreferences']['changeForUser']>[1] = {},
): Promise<ObjectId> {
  const { _id } = await volt.users.create(aUser())
  if (Object.keys(preferences).length > 0) await volt.userPreferences.changeForUser(_id, preferences)
  return _id
}

const at = (text: string) => {
  now = new Date(text)
}
const later = (ms: number) => {
  now = new Date(now.getTime() + ms)
}
const notice = (user: ObjectId, more: Partial<NotificationInput> = {}): NotificationInput => ({
  user,
  kind: 'device_offline',
  title: 'A device is silent',
  ...more,
})
const channels = () => sent.map((one) => one.channel).toSorted()
const titles = () => sent.map(({ message }) => message.notifications.map(({ title }) => title))

async function sendTo(user: ObjectId, more: Partial<NotificationInput> = {}) {
  const notification = await volt.notifications.send(notice(user, more))
  if (notification === null) throw new Error('It was not wanted')
  return notification
}

describe('a notification', () => {
  it('is delivered once by each channel that the user wants', async () => {
    const user = await aReader({ 'notifications.push': false })
    const { _id } = await sendTo(user)
    expect(await volt.notifications.deliver()).toMatchObject({ delivered: 1 })
    await volt.notifications.deliver()
    expect(channels()).toEqual(['email'])
    const [{ message } = { message: undefined }] = sent
    expect(message).toMatchObject({ attempt: 1, total: 1, preferences: { language: 'en' }, notifications: [{ _id }] })
    expect(await volt.notifications.deliveriesOf(user, _id)).toMatchObject([
      { channel: 'email', status: 'delivered', attempts: 1, endedAt: now },
    ])
  })

  it('goes by a channel of the host to who wants that, and by none but those that it names', async () => {
    const user = await aReader({ language: 'hi' })
    await sendTo(user)
    later(2_000)
    await sendTo(user, { title: 'For the eye', channels: [] })
    await volt.notifications.deliver()
    expect(channels()).toEqual(['email', 'push', 'sms'])
    expect(await volt.notifications.count({ user })).toBe(2)
  })

  it('is not delivered where the user has turned the channel off since, has read it, or is gone', async () => {
    const changed = await aReader()
    const reasons = async (user: ObjectId, id: ObjectId) =>
      (await volt.notifications.deliveriesOf(user, id)).map(({ status, reason }) => `${status}: ${reason}`)
    const first = await sendTo(changed)
    await volt.userPreferences.changeForUser(changed, { 'notifications.email': false, 'notifications.push': false })
    const reader = await aReader()
    const second = await sendTo(reader)
    expect(await volt.notifications.markRead(reader, [second._id])).toBe(1)
    const gone = await aReader()
    const third = await sendTo(gone)
    await volt.users.delete(gone)
    expect(await volt.notifications.deliver()).toMatchObject({ delivered: 0, skipped: 6 })
    expect(await reasons(changed, first._id)).toEqual(Array(2).fill('skipped: the user does not want this channel'))
    expect(await reasons(reader, second._id)).toEqual(Array(2).fill('skipped: it was read already, or has expired'))
    expect(await reasons(gone, third._id)).toEqual(Array(2).fill('skipped: the user is not there any more'))
  })

  it('is made once for a de-duplication key, from many calls at once, until it has expired', async () => {
    const user = await aReader()
    const alert = { deduplicationKey: 'offline:7', expireAt: new Date(now.getTime() + 60_000) }
    const made = await Promise.all(Array.from({ length: 8 }, () => sendTo(user, alert)))
    expect(new Set(made.map(({ _id }) => String(_id))).size).toBe(1)
    expect(await database.db.collection('notification_deliveries').countDocuments({ user })).toBe(2)
    expect(await sendTo(await aReader(), alert)).not.toMatchObject({ _id: made[0]?._id })
    later(61_000)
    const { _id } = await sendTo(user, { deduplicationKey: 'offline:7' })
    expect(_id).not.toEqual(made[0]?._id)
  })

  it('of a price goes to users who want such', async () => {
    const user = await aReader()
    expect(await volt.notifications.send(notice(user, { kind: 'price_alert' }))).toBeNull()
    await volt.userPreferences.changeForUser(user, { 'energy.priceAlerts': true })
    expect(await volt.notifications.send(notice(user, { kind: 'price_alert' }))).toMatchObject({ kind: 'price_alert' })
  })

  it('takes part in the transaction of the caller', async () => {
    const user = await aReader()
    const failed = volt.transaction(async () => {
      await sendTo(user)
      throw new Error('taken back')
    })
    await expect(failed).rejects.toThrow('taken back')
    expect(await volt.notifications.count({ user })).toBe(0)
    expect(await volt.notificationDeliveries.count({ user })).toBe(0)
  })

  it('is refused for a user who is not there, and for what is none', async () => {
    await expect(volt.notifications.send(notice(new ObjectId()))).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const user = await aReader()
    const wrong = { ...notice(user), data: { $where: 1 }, severity: 'loud' } as unknown as NotificationInput
    await expect(volt.notifications.send(wrong)).rejects.toMatchObject({ code: 'VALIDATION' })
  })

  it('that is posted neither fails nor slows its reporter', async () => {
    const user = await aReader()
    const before = volt.notifications.posted()
    volt.notifications.post(notice(user))
    volt.notifications.post(notice(new ObjectId()))
    await volt
      .transaction(async () => {
        volt.notifications.post(notice(user, { title: 'Not to be' }))
        throw new Error('taken back')
      })
      .catch(() => undefined)
    await eventually('both are dealt with', () => {
      const { written, failed } = volt.notifications.posted()
      return written + failed - before.written - before.failed === 2
    })
    expect(await volt.notifications.find({ user })).toMatchObject([{ title: 'A device is silent' }])
    expect(volt.notifications.posted().failed - before.failed).toBe(1)
  })
})

describe('what a user has read', () => {
  it('is counted, up to a hundred', async () => {
    const [user, other] = [await aReader(), await aReader()]
    const made = []
    for (let count = 0; count < 3; count += 1) made.push(await sendTo(user, { channels: [] }))
    await sendTo(user, { channels: [], expireAt: new Date(now.getTime() + 1) })
    later(2)
    expect(await volt.notifications.unreadCount(user)).toEqual({ count: 3, isMore: false })
    const ids = made.slice(0, 2).map(({ _id }) => _id)
    expect(await volt.notifications.markRead(other, ids)).toBe(0)
    expect(await volt.notifications.markRead(user, ids)).toBe(2)
    expect(await volt.notifications.markRead(user, ids)).toBe(0)
    expect(await volt.notifications.find({ user, unread: false })).toMatchObject([{ readAt: now }, { readAt: now }])
    for (let count = 0; count < 101; count += 1) await sendTo(other, { channels: [] })
    expect(await volt.notifications.unreadCount(other)).toEqual({ count: 100, isMore: true })
    expect(await volt.notifications.markAllRead(other)).toBe(101)
    expect(await volt.notifications.unreadCount(other)).toEqual({ count: 0, isMore: false })
  })

  it('is seen through the handle that is bound to the user, and nobody else sees it', async () => {
    const [user, other] = [await aReader(), await aReader()]
    await sendTo(user, { channels: [] })
    expect(await volt.as(user).notifications.count()).toBe(1)
    expect(await volt.as(user).notifications.unreadCount(user)).toMatchObject({ count: 1 })
    expect(await volt.as(other).notifications.count()).toBe(0)
    expect(await volt.as(other).notifications.unreadCount(user)).toMatchObject({ count: 0 })
  })

  it('is marked through the bound handle by its own user alone, whatever user is named', async () => {
    const [user, other] = [await aReader(), await aReader()]
    const [first, second] = [await sendTo(user, { channels: [] }), await sendTo(user, { channels: [] })]
    const theirs = volt.as(other).notifications
    expect(await theirs.markRead(user, [first._id])).toBe(0)
    expect(await theirs.markAllRead(user)).toBe(0)
    expect(await volt.notifications.unreadCount(user)).toMatchObject({ count: 2 })
    const own = volt.as(user).notifications
    expect(await own.markRead(user, [first._id])).toBe(1)
    expect(await own.markAllRead(user)).toBe(1)
    expect(await own.findOne({ _id: second._id })).toMatchObject({ unread: false, readAt: now })
    const gone = volt.as(new ObjectId()).notifications
    await expect(gone.markAllRead(user)).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
  })
})

describe('quiet hours', () => {
  it('put deliveries off to their end, in the zone of the user, and then they come in one message', async () => {
    const user = await aReader({
      timeZone: 'Asia/Kolkata',
      'notifications.push': false,
      'notifications.quietHours': { from: '22:00', to: '07:00' },
    })
    at('2037-03-02T17:00:00Z')
    await sendTo(user, { title: 'first' })
    expect(await volt.notifications.deliver()).toMatchObject({ delivered: 0, deferred: 1 })
    at('2037-03-02T20:00:00Z')
    await sendTo(user, { title: 'second' })
    await sendTo(user, { title: 'critical', severity: 'critical' })
    later(5_000)
    expect(await volt.notifications.deliver()).toMatchObject({ delivered: 1, deferred: 1 })
    at('2037-03-03T01:29:59Z')
    await volt.notifications.deliver()
    expect(titles()).toEqual([['critical']])
    at('2037-03-03T01:30:00Z')
    expect(await volt.notifications.deliver()).toMatchObject({ delivered: 2 })
    expect(titles()).toEqual([['critical'], ['first', 'second']])
    expect(sent[1]?.message).toMatchObject({ total: 2, attempt: 1 })
  })

  it('are those of the site where the user has chosen no zone', async () => {
    const { _id: classroom } = await volt.classrooms.create(aClassroom({ timeZone: 'Pacific/Auckland' }))
    const user = await aReader({
      'notifications.push': false,
      'notifications.quietHours': { from: '22:00', to: '07:00' },
    })
    at('2037-03-02T10:00:00Z')
    await sendTo(user, { classroom })
    await sendTo(user, { title: 'of no site' })
    later(2_000)
    expect(await volt.notifications.deliver()).toMatchObject({ delivered: 1, deferred: 1 })
    expect(titles()).toEqual([['of no site']])
  })

  it('that are the whole day leave one message a day', async () => {
    const user = await aReader({
      'notifications.push': false,
      'notifications.quietHours': { from: '08:00', to: '08:00' },
    })
    at('2037-03-02T12:00:00Z')
    await sendTo(user, { title: 'one' })
    await sendTo(user, { title: 'two' })
    later(2_000)
    expect(await volt.notifications.deliver()).toMatchObject({ delivered: 0, deferred: 2 })
    at('2037-03-03T08:00:00Z')
    await volt.notifications.deliver()
    expect(titles()).toEqual([['one', 'two']])
  })
})

describe('a delivery that fails', () => {
  it('is tried again later with the same id, and then given up with its reason', async () => {
    const user = await aReader({ 'notifications.push': false })
    const ids: string[] = []
    deliver = async (_, { deliveryId, attempt }) => {
      ids.push(deliveryId)
      throw new Error(`smtp://robot:secret@mail.example.org refused attempt ${attempt}`)
    }
    const { _id } = await sendTo(user)
    expect(await volt.notifications.deliver()).toMatchObject({ retried: 1 })
    expect(await volt.notifications.deliver()).toMatchObject({ retried: 0 })
    later(8_000)
    expect(await volt.notifications.deliver()).toMatchObject({ retried: 1 })
    later(15_000)
    expect(await volt.notifications.deliver()).toMatchObject({ failed: 1 })
    expect(new Set(ids).size).toBe(1)
    expect(await volt.notifications.deliveriesOf(user, _id)).toMatchObject([
      { status: 'failed', attempts: 3, reason: 'smtp://***@mail.example.org refused attempt 3' },
    ])
    expect(
      await volt.notificationDeliveries.find({ status: 'failed' }, { sort: { endedAt: -1 }, limit: 1 }),
    ).toMatchObject([{ user }])
  })

  it('is given up at once where the channel says that it never can be delivered', async () => {
    const user = await aReader({ 'notifications.push': false })
    deliver = async () => {
      throw new DeliveryRefusedError('there is no such mailbox')
    }
    await sendTo(user)
    expect(await volt.notifications.deliver()).toMatchObject({ failed: 1, retried: 0 })
  })

  it('starves no other: neither another channel, nor other users', async () => {
    const failing = await aReader({ 'notifications.email': false })
    const flood = Array.from({ length: 30 }, (_, at) => ({ title: `number ${at}` }))
    for (const one of flood) await sendTo(failing, one)
    const user = await aReader()
    await sendTo(user)
    deliver = async (_, message) => {
      if (message.user._id.equals(failing)) throw new Error('the push service is away')
    }
    later(1_500)
    expect(await volt.notifications.deliver()).toMatchObject({ delivered: 2, retried: 2 })
    expect(channels()).toEqual(['email', 'push'])
  })
})

it('comes to those who listen, over one change stream for all', async () => {
  const [user, other] = [await aReader(), await aReader()]
  const events: NotificationEvent[] = []
  const others: NotificationEvent[] = []
  const stop = await volt.notifications.subscribe(user, (event) => events.push(event))
  const stopOther = await volt.notifications.subscribe(other, (event) => others.push(event))
  const { _id } = await sendTo(user, { channels: [] })
  await volt.notifications.markRead(user, [_id])
  await sendTo(other, { channels: [] })
  await eventually('all have come', () => events.length === 2 && others.length === 1)
  expect(events).toMatchObject([
    { type: 'created', notification: { _id } },
    { type: 'changed', notification: { _id, unread: false } },
  ])
  stop()
  await sendTo(user, { channels: [] })
  await sendTo(other, { channels: [] })
  await eventually('the other goes on', () => others.length === 2)
  stopOther()
  await sleep(50)
  expect(events).toHaveLength(2)
})

it('refuses channels that cannot be used', async () => {
  const { uri, dbName } = database
  for (const channels of [[{ name: 'Sms', deliver }], [{ name: 'sms' }], [channel('sms'), channel('sms')]]) {
    const opened = openVolt({ uri, dbName }, { notifications: { channels: channels as DeliveryChannel[] } })
    await expect(opened).rejects.toMatchObject({ code: 'CONFIGURATION' })
  }
})
