import { beforeAll, describe, expect, it } from 'vitest'
import { verifyExport } from '../../../src/ledger/export/export-verifier.js'
import { generateLogKeys } from '../../../src/ledger/log/signed-note.js'
import { setUpDatabase } from '../../support/database.js'
import { full } from '../../support/extent.js'
import { openVolt } from '../../support/volt.js'
import { anEvent, aSwitchInLedger, at, readings } from '../support/events.js'

const keys = generateLogKeys('school.example/energy')
const foreign = generateLogKeys('school.example/energy')
const verifierKeys = [keys.verifierKey]

/** An export of 4 entries of two chains, with two checkpoints: small, for every byte of it is changed in turn. */
let file: Buffer
let older: Buffer
let notes: readonly string[]

beforeAll(async () => {
  const database = setUpDatabase()
  const { ledger } = await openSetUp(database, keys.signerKey)
  const chains = [aSwitchInLedger(), aSwitchInLedger()]
  await ledger.append(chains.flatMap((own) => readings(1, own)))
  const [first] = [await ledger.checkpoint()]
  older = await exported(ledger)
  await ledger.append(chains.flatMap((own) => readings(1, own, 'later')))
  await ledger.append([])
  const second = await ledger.checkpoint()
  notes = [first, second].map(({ checkpoint }) => checkpoint?.note ?? '')
  file = await exported(ledger)
})

async function openSetUp(database: ReturnType<typeof setUpDatabase>, signerKey: string) {
  const volt = await openVolt(database, { ledgerLog: { signerKeys: [signerKey] } })
  await volt.setup()
  return volt
}

async function exported(ledger: { export(options?: object): AsyncIterable<string> }, options = {}): Promise<Buffer> {
  const pieces: string[] = []
  for await (const piece of ledger.export(options)) pieces.push(piece)
  return Buffer.from(pieces.join(''))
}

function verify(bytes: Uint8Array, options: { verifierKeys?: string[]; knownCheckpoint?: string } = {}) {
  return verifyExport(
    async function* () {
      yield bytes
    },
    { verifierKeys, ...options },
  )
}

/** Whether something is found in the bytes, which at least can be told to be an export. */
async function isDamaged(bytes: Uint8Array): Promise<boolean> {
  const { valid, findings } = await verify(bytes)
  return !valid && findings.length > 0
}

/** Whether the bytes pass for an export; what cannot be read as one does not. */
async function isValid(bytes: Uint8Array, options = {}): Promise<boolean> {
  try {
    return (await verify(bytes, options)).valid
  } catch (error) {
    expect(['ExportError', 'NoteError', 'LineError']).toContain((error as Error).name)
    return false
  }
}

const lines = () => file.toString('latin1').split(/(?<=\n)/)
const joined = (parts: readonly string[]) => Buffer.from(parts.join(''), 'latin1')

describe('an exported file', () => {
  it('is valid as it is, in pieces of any size, and says what it cannot exclude', async () => {
    const report = await verify(file)
    expect(report).toMatchObject({ valid: true, entries: 4, chains: 2, checkpoint: { size: 4 }, coveredEntries: 4 })
    expect(report.caveats).toEqual([expect.stringContaining('an older state of the ledger cannot be distinguished')])
    for (const size of [1, 7, 1000]) {
      const inPieces = async function* () {
        for (let start = 0; start < file.length; start += size) yield file.subarray(start, start + size)
      }
      expect(await verifyExport(inPieces, { verifierKeys })).toEqual(report)
    }
  })

  it('is found damaged with any single byte changed', async () => {
    for (let at = 0; at < file.length; at += 1) {
      const byte = file[at] ?? 0
      // One bit in turn, another letter, and a line feed.
      const others = [byte ^ (1 << (at % 8)), byte === 0x41 ? 0x42 : 0x41, byte === 0x0a ? 0x20 : 0x0a]
      for (const other of full ? others : others.slice(0, 1)) {
        const changed = Buffer.from(file)
        changed[at] = other
        if (!(await isDamaged(changed))) expect.fail(`byte ${at} was ${byte}, is ${other}, and nothing is found`)
      }
    }
  })

  it('is found damaged with any byte taken out or put in', async () => {
    for (let at = 0; at <= file.length; at += full ? 1 : 17) {
      const [before, after] = [file.subarray(0, at), file.subarray(at)]
      expect(await isDamaged(Buffer.concat([before, Buffer.from(at % 2 === 0 ? 'A' : '\n'), after]))).toBe(true)
      if (at < file.length) expect(await isDamaged(Buffer.concat([before, after.subarray(1)]))).toBe(true)
    }
  })

  it('is found damaged with a line dropped, doubled or swapped with the next', async () => {
    const all = lines()
    expect(all).toHaveLength(1 + 4 + 2 + 1)
    for (const at of all.keys()) {
      expect(await isDamaged(joined(all.toSpliced(at, 1)))).toBe(true)
      expect(await isDamaged(joined(all.toSpliced(at, 0, all[at] as string)))).toBe(true)
      const [one, two] = all.slice(at, at + 2)
      if (two !== undefined) expect(await isDamaged(joined(all.toSpliced(at, 2, two, one as string)))).toBe(true)
    }
  })

  it('cut at any line is found damaged, but nothing can be said of one that is empty', async () => {
    const all = lines()
    for (let end = 1; end < all.length; end += 1) expect(await isDamaged(joined(all.slice(0, end)))).toBe(true)
    await expect(verify(Buffer.alloc(0))).rejects.toMatchObject({ name: 'ExportError' })
    expect((await verify(joined(all.slice(0, 5)))).findings).toContainEqual(
      expect.objectContaining({ damage: 'truncated', where: 'export', found: 'nothing' }),
    )
  })

  it('is not valid with anything behind its end', async () => {
    for (const more of ['\n', ' ', 'x', '{}\n', '\0'])
      expect(await isValid(Buffer.concat([file, Buffer.from(more)]))).toBe(false)
  })

  it('names the entry that was edited', async () => {
    const all = lines()
    const at = all.findIndex((line) => line.startsWith('{"entry"'))
    const entry = Buffer.from(JSON.parse(all[at] as string).entry, 'base64')
    const edited = Buffer.from(entry)
    edited.write('f', edited.indexOf('cumulativeEnergy') - 4)
    const [report, original] = [
      await verify(joined(all.with(at, `${JSON.stringify({ entry: edited.toString('base64') })}\n`))),
      entry.subarray(entry.length - 33, entry.length - 1).toString('hex'),
    ]
    expect(report.invalidEntry).toMatchObject({ damage: 'edited', where: 'entry', sequence: 1, expected: original })
  })

  it('is not valid under a foreign key, nor with a digest that is signed with one, nor with that of another file', async () => {
    expect(await isValid(file, { verifierKeys: [foreign.verifierKey] })).toBe(false)
    const last = (bytes: Buffer) =>
      bytes
        .toString('latin1')
        .split(/(?<=\n)/)
        .at(-1) as string
    expect(await isValid(joined(lines().with(-1, last(older))))).toBe(false)
  })

  it('is still valid with personal data in it, and not with those changed', async () => {
    const { ledger } = await openSetUp(setUpDatabase(), keys.signerKey)
    await ledger.append([{ ...anEvent(), notes: 'seen by Asha' }, anEvent({ timestamp: at(60) })])
    await ledger.checkpoint()
    const plain = await exported(ledger)
    expect(plain.toString()).not.toContain('Asha')
    expect(await isValid(plain)).toBe(true)
    const full = await exported(ledger, { personalData: true })
    expect(await isValid(full)).toBe(true)
    expect(await isValid(Buffer.from(full.toString('latin1').replace('Asha', 'Isha'), 'latin1'))).toBe(false)
  })
})

describe('an exported file beside a checkpoint that was seen before', () => {
  it('goes on from it', async () => {
    for (const knownCheckpoint of notes) {
      const report = await verify(file, { knownCheckpoint })
      expect(report).toMatchObject({ valid: true, caveats: [] })
    }
  })

  it('is found to be an older one', async () => {
    expect(await isValid(older)).toBe(true)
    const report = await verify(older, { knownCheckpoint: notes[1] as string })
    expect(report.valid).toBe(false)
    expect(report.findings).toEqual([
      expect.objectContaining({ damage: 'truncated', where: 'checkpoint', checkpointSize: 4, found: '2 entries' }),
    ])
  })

  it('is found to be of a fork of the ledger, though the same key has signed it', async () => {
    const { ledger } = await openSetUp(setUpDatabase(), keys.signerKey)
    await ledger.append(readings(4))
    await ledger.checkpoint()
    const fork = await exported(ledger)
    expect(await isValid(fork)).toBe(true)
    for (const [at, size] of [2, 4].entries()) {
      const report = await verify(fork, { knownCheckpoint: notes[at] as string })
      expect(report.findings).toEqual([
        expect.objectContaining({ damage: 'rewritten', where: 'checkpoint', checkpointSize: size }),
      ])
    }
  })

  it('is not judged by a checkpoint that nobody trusted has signed', async () => {
    const { ledger } = await openSetUp(setUpDatabase(), foreign.signerKey)
    await ledger.append(readings(1))
    const knownCheckpoint = (await ledger.checkpoint()).checkpoint?.note ?? ''
    await expect(verify(file, { knownCheckpoint })).rejects.toMatchObject({ name: 'UntrustedCheckpointError' })
    await expect(verify(file, { knownCheckpoint: 'none' })).rejects.toMatchObject({ name: 'NoteError' })
  })
})
