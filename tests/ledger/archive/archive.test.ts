import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Binary } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { verifyExport } from '../../../src/ledger/export/export-verifier.js'
import { verifyInclusion } from '../../../src/ledger/log/proof.js'
import { generateLogKeys } from '../../../src/ledger/log/signed-note.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { anEvent, aSwitchInLedger, at } from '../support/events.js'

const keys = generateLogKeys('school.example/energy')
const database = setUpDatabase()

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'archive-'))
  cleanUpLater(() => rm(folder, { recursive: true }))
  return folder
}

/** Readings of one switch every ten seconds, from one number on. */
function everyTenSeconds(own: ReturnType<typeof aSwitchInLedger>, from: number, count: number) {
  return Array.from({ length: count }, (_, n) =>
    anEvent({ ...own, timestamp: at((from + n) * 10), idempotencyKey: `reading ${from + n}` }),
  )
}

async function aLedger() {
  const volt = await openVolt(database, { ledgerLog: { signerKeys: [keys.signerKey] } })
  await database.db.dropDatabase()
  await volt.setup()
  const switches = [aSwitchInLedger(), aSwitchInLedger()]
  for (const own of switches) await volt.ledger.append(everyTenSeconds(own, 0, 50))
  await volt.ledger.checkpoint()
  return { volt, switches, folder: await aFolder() }
}

const openAgain = () => openVolt(database, { ledgerLog: { signerKeys: [keys.signerKey] } })

describe('an archive', () => {
  it('has the entries in a file that verifies, and leaves the end of each chain in the database', async () => {
    const { volt, folder } = await aLedger()
    const file = join(folder, 'ledger-1.jsonl')
    const { archive, removed } = await volt.ledger.archive({ file })
    expect(archive).toMatchObject({ fromSize: 0, size: 100, file: 'ledger-1.jsonl' })
    expect(removed).toBe(98)
    expect(await volt.ledger.count()).toBe(2)
    const report = await verifyExport(() => createReadStream(file), { verifierKeys: [keys.verifierKey] })
    expect(report).toMatchObject({ valid: true, entries: 100, findings: [] })
    expect(await readdir(folder)).toEqual(['ledger-1.jsonl'])
  })

  it('lets registers and links go on across the seam, in this process and in others', async () => {
    const { volt, switches, folder } = await aLedger()
    await volt.ledger.archive({ file: join(folder, 'one') })
    const other = await openAgain()
    for (const own of switches) await other.ledger.append(everyTenSeconds(own, 50, 10))
    await volt.ledger.append(everyTenSeconds(switches[0] as (typeof switches)[number], 60, 5))
    const head = await volt.ledger.findOne({ switchId: switches[0]?.switchId as never }, { sort: { sequence: -1 } })
    // 64 stretches of 10 s at 100 W.
    expect(head).toMatchObject({ sequence: 65, cumulativeEnergy: 64_000 })
    await volt.ledger.checkpoint()
    expect(await volt.ledger.verify()).toMatchObject({ valid: true, findings: [], archivedEntries: 98 })
    for (const { deviceId, switchId } of switches) {
      expect(await volt.ledger.verifyChainIntegrity(deviceId, switchId)).toMatchObject({ valid: true, findings: [] })
    }
  })

  it('goes on in the next file, and the export after both', async () => {
    const { volt, switches, folder } = await aLedger()
    await volt.ledger.archive({ file: join(folder, 'one') })
    for (const own of switches) await volt.ledger.append(everyTenSeconds(own, 50, 10))
    await volt.ledger.checkpoint()
    const { archive } = await volt.ledger.archive({ file: join(folder, 'two') })
    expect(archive).toMatchObject({ fromSize: 100, size: 120 })
    await volt.ledger.append(everyTenSeconds(switches[0] as (typeof switches)[number], 60, 3))
    await volt.ledger.checkpoint()
    const pieces: string[] = []
    for await (const piece of volt.ledger.export()) pieces.push(piece)
    await writeFile(join(folder, 'rest'), pieces.join(''))
    for (const [name, entries] of [
      ['one', 100],
      ['two', 20],
      ['rest', 3],
    ] as const) {
      const open = () => createReadStream(join(folder, name))
      expect(await verifyExport(open, { verifierKeys: [keys.verifierKey] })).toMatchObject({ valid: true, entries })
    }
    const open = (...names: string[]) => names.map((name) => () => createReadStream(join(folder, name)))
    const together = (...names: string[]) => verifyExport(open(...names), { verifierKeys: [keys.verifierKey] })
    expect(await together('rest', 'one', 'two')).toMatchObject({
      valid: true,
      entries: 123,
      chains: 2,
      findings: [],
      coveredEntries: 123,
      archivedEntries: 0,
    })
    expect(await together('two', 'rest')).toMatchObject({ valid: true, entries: 23, archivedEntries: 100 })
    const findingOf = async (...names: string[]) => (await together(...names)).findings
    const place = { where: 'export', expected: expect.stringMatching(/^the tree of 100 entries, [0-9a-f]{64}$/) }
    expect(await findingOf('one', 'rest')).toContainEqual(
      expect.objectContaining({ ...place, damage: 'deleted', found: expect.stringContaining('line 1 of file 2') }),
    )
    expect(await findingOf('one', 'rest')).toContainEqual(
      expect.objectContaining({ damage: 'deleted', where: 'entry', sequence: 51, throughSequence: 60 }),
    )
    expect(await findingOf('one', 'one')).toEqual([expect.objectContaining({ ...place, damage: 'overlapping' })])
    expect(await volt.ledger.archive({ file: join(folder, 'one more'), throughSize: 120 })).toEqual({
      archive: null,
      removed: 0,
    })
  })

  it('lets an archived entry be proven with the file', async () => {
    const { volt, folder } = await aLedger()
    const entry = await volt.ledger.findOne({ sequence: 7 })
    const file = join(folder, 'one')
    await volt.ledger.archive({ file })
    const entryId = entry?._id ?? ''
    await expect(volt.ledger.proveInclusion(entryId)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const proof = await volt.ledger.proveInclusion(entryId, { archiveFiles: [file] })
    expect(verifyInclusion(proof, [keys.verifierKey])).toEqual({ valid: true })
  })

  it('refuses what happened before the seam, and says so', async () => {
    const { volt, switches, folder } = await aLedger()
    await volt.ledger.archive({ file: join(folder, 'one') })
    const late = anEvent({ ...switches[0], timestamp: at(15), idempotencyKey: 'late' })
    await expect(volt.ledger.append([late])).rejects.toMatchObject({ code: 'ARCHIVED' })
    const pressed = { ...late, eventType: 'switch_on' as const, reading: undefined }
    await expect(volt.ledger.append([pressed])).rejects.toMatchObject({ code: 'ARCHIVED' })
    await expect(volt.energy.dailyBySwitch({ from: '2026-03-01', to: '2026-03-01' })).rejects.toMatchObject({
      code: 'ARCHIVED',
    })
    const soonAfter = anEvent({ ...switches[0], timestamp: at(495), idempotencyKey: 'soon after' })
    expect(await volt.ledger.append([soonAfter])).toMatchObject([{ isNew: true }])
  })

  it('keeps the entries of a chain from the first one with personal data on, until that is erased', async () => {
    const { volt, switches, folder } = await aLedger()
    const [own] = switches
    const [noted] = await volt.ledger.append([{ ...everyTenSeconds(own as never, 50, 1)[0], notes: 'Ann' } as never])
    await volt.ledger.append(everyTenSeconds(own as never, 51, 9))
    await volt.ledger.checkpoint()
    await volt.ledger.archive({ file: join(folder, 'one') })
    expect(await volt.ledger.count({ switchId: own?.switchId as never })).toBe(10)
    const entryId = noted?.entry._id ?? ''
    expect(await volt.ledger.personalDataOf(entryId)).toEqual({ notes: 'Ann' })
    await volt.ledger.erasePersonalData(entryId)
    expect(await volt.ledger.personalDataOf(entryId)).toBeNull()
    expect(await volt.ledger.verify()).toMatchObject({ findings: [] })
  })

  it('is not written where the file is there, and nothing leaves the database', async () => {
    const { volt, folder } = await aLedger()
    const file = join(folder, 'taken')
    await writeFile(file, 'something of mine')
    await expect(volt.ledger.archive({ file })).rejects.toMatchObject({ code: 'CONFIGURATION' })
    await expect(volt.ledger.archive({ file: join(folder, 'no', 'folder') })).rejects.toMatchObject({
      code: 'CONFIGURATION',
    })
    expect(await volt.ledger.count()).toBe(100)
    expect(await readdir(folder)).toEqual(['taken'])
  })

  it('is not made of entries that do not verify', async () => {
    const { volt, folder } = await aLedger()
    const entries = database.db.collection('power_consumption_ledger')
    await entries.updateOne({ sequence: 3 }, { $set: { powerState: false } }, { bypassDocumentValidation: true })
    await expect(volt.ledger.archive({ file: join(folder, 'one') })).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
    expect(await volt.ledger.count()).toBe(100)
  })

  it('removes what a process that was killed has left', async () => {
    const { volt, folder } = await aLedger()
    const entries = database.db.collection('power_consumption_ledger')
    const before = await entries.find({ sequence: 4 }, { promoteValues: false }).toArray()
    await volt.ledger.archive({ file: join(folder, 'one') })
    await entries.insertMany(before, { bypassDocumentValidation: true })
    expect(await volt.ledger.verify()).toMatchObject({ valid: true, findings: [] })
    expect(await volt.ledger.archive({ file: join(folder, 'two') })).toEqual({ archive: null, removed: 2 })
  })

  it('whose seam was moved behind the library is found out', async () => {
    const { volt, folder } = await aLedger()
    await volt.ledger.archive({ file: join(folder, 'one') })
    await database.db.collection('ledger_seams').updateOne({}, { $set: { hash: new Binary(Buffer.alloc(32, 0xff)) } })
    const { valid, findings } = await volt.ledger.verify()
    expect(valid).toBe(false)
    expect(findings).toContainEqual(expect.objectContaining({ where: 'archive', damage: 'edited', sequence: 49 }))
  })

  it('is all that a seam can stand for: one that claims more hides nothing, and removes nothing', async () => {
    const { volt, switches, folder } = await aLedger()
    await volt.ledger.archive({ file: join(folder, 'one') })
    const [own] = switches as [(typeof switches)[number]]
    const appended = await volt.ledger.append(everyTenSeconds(own, 50, 10))
    await volt.ledger.checkpoint()
    const { sequence, hash } = (appended[7] as (typeof appended)[number]).entry
    const seams = database.db.collection('ledger_seams')
    await seams.updateOne({ switchId: own.switchId }, { $set: { sequence, hash } })
    const expected = { where: 'archive', damage: 'edited', switchId: own.switchId.toHexString(), sequence }
    expect((await volt.ledger.verify()).findings).toEqual([expect.objectContaining(expected)])
    const again = volt.ledger.archive({ file: join(folder, 'two'), throughSize: 100 })
    await expect(again).rejects.toMatchObject({ code: 'LEDGER_DAMAGED' })
    await database.db.collection('power_consumption_ledger').deleteMany({
      switchId: own.switchId,
      sequence: { $lte: sequence },
    })
    const { findings } = await volt.ledger.verify()
    expect(findings).toContainEqual(expect.objectContaining(expected))
    expect(findings).toContainEqual(
      expect.objectContaining({ damage: 'deleted', sequence: 51, throughSequence: sequence }),
    )
    await database.db.collection('ledger_archives').deleteMany({})
    await seams.deleteMany({ switchId: { $ne: own.switchId } })
    const without = (await volt.ledger.verify({ switchIds: [own.switchId] })).findings
    expect(without).toContainEqual(expect.objectContaining(expected))
    expect(without).toContainEqual(expect.objectContaining({ damage: 'deleted', sequence: 1 }))
  })
})

describe('the scope of a verification', () => {
  it('is a device, a classroom or some switches', async () => {
    const { volt, switches } = await aLedger()
    const [one] = switches
    for (const scope of [{ deviceId: one?.deviceId }, { classroom: one?.classroom }, { switchIds: [one?.switchId] }]) {
      const report = await volt.ledger.verify(scope as never)
      expect(report).toMatchObject({ valid: true, entries: 50, chains: 1 })
    }
    expect(await volt.ledger.verify({ deviceId: 'f'.repeat(24) })).toMatchObject({ valid: false, entries: 0 })
  })
})
