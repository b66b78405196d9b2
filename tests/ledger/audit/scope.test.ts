import { type Collection, ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { setUpDatabase, type TestDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { chainOf } from '../support/chains.js'
import { anEvent, aSwitchInLedger, at, type OwnFields, readings } from '../support/events.js'
import { keys } from './support/site.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database, { ledgerLog: { signerKeys: [keys.signerKey] } })
  await volt.setup()
})

/** A chain whose switch has gone from one device to another, to a third, and back to the first. */
async function aMovedSwitch() {
  const [first, second, third] = [aSwitchInLedger(), aSwitchInLedger(), aSwitchInLedger()]
  const { switchId } = first
  const places = [first, second, third, first]
  for (const [step, place] of places.entries())
    await volt.ledger.append([reading(place, 2 * step), reading(place, 2 * step + 1)])
  return { switchId, first, second, third }

  function reading({ deviceId, classroom }: OwnFields, minute: number) {
    const idempotencyKey = `${switchId.toHexString()} ${minute}`
    return anEvent({ switchId, deviceId, classroom, timestamp: at(60 * minute), idempotencyKey })
  }
}

describe('the chains of a device, or of a classroom', () => {
  it('are all that have entries of it, also those that have left it', async () => {
    const { switchId, first, second, third } = await aMovedSwitch()
    for (const { deviceId, classroom } of [first, second, third]) {
      const sound = { valid: true, findings: [], chains: 1, entries: 8 }
      expect(await volt.ledger.verify({ deviceId })).toMatchObject(sound)
      expect(await volt.ledger.verify({ classroom })).toMatchObject(sound)
      expect(await volt.ledger.verify({ deviceId, classroom, switchIds: [switchId] })).toMatchObject(sound)
      expect(await volt.ledger.verifyChainIntegrity(deviceId, switchId)).toMatchObject(sound)
    }
    const flags = (await chainOf(database.db, switchId)).map((entry) => entry.flags)
    expect(flags).toEqual([['placed'], [], ['placed'], [], ['placed'], [], ['placed'], []])
  })

  it('are no others', async () => {
    const { switchId } = await aMovedSwitch()
    const other = aSwitchInLedger()
    await volt.ledger.append(readings(3, other))
    expect(await volt.ledger.verify({ deviceId: other.deviceId })).toMatchObject({ valid: true, chains: 1, entries: 3 })
    const nobody = new ObjectId()
    expect(await volt.ledger.verify({ deviceId: nobody })).toMatchObject({ valid: false, chains: 0, findings: [] })
    await expect(volt.ledger.verifyChainIntegrity(other.deviceId, switchId)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  it('are found by a partial index, whatever the number of entries', async () => {
    const { deviceId } = aSwitchInLedger()
    const plan = await database.db
      .collection('power_consumption_ledger')
      .find({ deviceId, flags: 'placed' })
      .explain('queryPlanner')
    expect(JSON.stringify(plan.queryPlanner.winningPlan)).toContain('deviceId_1_switchId_1')
  })
})

describe('a chain of which it cannot be said whose it is', () => {
  const bypass = { bypassDocumentValidation: true }
  const another = () => new ObjectId()

  /** Two chains of one place, beside one of others, all but the last entry of each in a checkpoint. */
  async function aPlace() {
    const own = setUpDatabase()
    const { ledger, setup } = await openLedger(own)
    await setup()
    const entries = own.db.collection('power_consumption_ledger')
    const [first, others] = [aSwitchInLedger(), aSwitchInLedger()]
    const second = { ...first, switchId: new ObjectId() }
    for (const place of [first, second, others]) await ledger.append(readings(5, place))
    await ledger.checkpoint()
    for (const place of [first, second, others]) await ledger.append(readings(1, place, 'later'))
    return { ledger, entries, own: first, second, others }
  }

  const tricks: Record<string, (entries: Collection, own: OwnFields) => Promise<unknown>> = {
    'of which the last entry has another device and classroom': (entries, { switchId }) =>
      entries.updateOne({ switchId, sequence: 6 }, { $set: { deviceId: another(), classroom: another() } }, bypass),
    'of which the last signed entry has another device and classroom': (entries, { switchId }) =>
      entries.updateOne({ switchId, sequence: 5 }, { $set: { deviceId: another(), classroom: another() } }, bypass),
    'of which all entries have another device and classroom': (entries, { switchId }) =>
      entries.updateMany({ switchId }, { $set: { deviceId: another(), classroom: another() } }, bypass),
    'of which no entry is placed': (entries, { switchId }) =>
      entries.updateMany({ switchId }, { $set: { flags: [] } }, bypass),
    'that is gone': (entries, { switchId }) => entries.deleteMany({ switchId }),
    'that is another switch’s now': (entries, { switchId }) =>
      entries.updateMany({ switchId }, { $set: { switchId: another() } }, bypass),
  }

  it.each(Object.keys(tricks))('%s is found in every scope that it belongs to', async (name) => {
    const { ledger, entries, own, second, others } = await aPlace()
    const { deviceId, classroom, switchId } = second
    await tricks[name]?.(entries, second)
    const scopes = [
      { deviceId },
      { classroom },
      { deviceId, classroom },
      { switchIds: [switchId] },
      { deviceId, switchIds: [switchId] },
    ]
    for (const scope of scopes) expect([scope, (await ledger.verify(scope)).valid]).toEqual([scope, false])
    expect(await ledger.verify({ switchIds: [own.switchId] })).toMatchObject({ valid: true, entries: 6 })
    expect(await ledger.verify({ switchIds: [others.switchId] })).toMatchObject({ valid: true, entries: 6 })
  })

  it('whose end is gone, and is said to be of another switch in the index of the tree, is found by its switch', async () => {
    const { ledger, entries, own, second } = await aPlace()
    const { switchId } = second
    await ledger.checkpoint()
    await entries.deleteMany({ switchId, sequence: 6 })
    const segments = entries.db.collection('ledger_segments')
    await segments.updateOne({ switchId, firstSequence: 6 }, { $set: { switchId: another() } }, bypass)
    for (const scope of [{ switchIds: [switchId] }, { switchIds: [own.switchId, switchId] }])
      expect((await ledger.verify(scope)).valid).toBe(false)
  })

  it('of which nothing is there is named among the caveats', async () => {
    const { ledger, own } = await aPlace()
    const { valid, caveats } = await ledger.verify({ switchIds: [own.switchId, another()] })
    expect(valid).toBe(true)
    expect(caveats).toContain('Of 1 of the switches there are no entries.')
  })

  it('is not one that is sound and of others', async () => {
    const { ledger, entries, own, others } = await aPlace()
    await entries.updateOne({ switchId: own.switchId, sequence: 3 }, { $set: { powerState: false } }, bypass)
    // Its damaged entry may have been of anybody.
    expect((await ledger.verify({ deviceId: others.deviceId })).valid).toBe(false)
    expect(await ledger.verify({ switchIds: [others.switchId], deviceId: others.deviceId })).toMatchObject({
      valid: true,
      findings: [],
      entries: 6,
      chains: 1,
    })
  })
})

async function openLedger(database: TestDatabase) {
  const opened = await openVolt(database, { ledgerLog: { signerKeys: [keys.signerKey] } })
  return { ledger: opened.ledger, setup: () => opened.setup() }
}
