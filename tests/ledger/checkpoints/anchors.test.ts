import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Anchor } from '../../../src/ledger/log/anchor.js'
import { AnchorPublisher } from '../../../src/ledger/log/anchor-publisher.js'
import { fileAnchor } from '../../../src/ledger/log/file-anchor.js'
import { anchorEntity } from '../../../src/ledger/log/log-entities.js'
import { generateLogKeys } from '../../../src/ledger/log/signed-note.js'
import { TransparencyLog } from '../../../src/ledger/log/transparency-log.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { readings } from '../support/events.js'

const keys = generateLogKeys('school.example/energy')

async function aLedger(anchors: readonly Anchor[]) {
  const database = setUpDatabase()
  const volt = await openVolt(database, { ledgerLog: { signerKeys: [keys.signerKey], anchors } })
  await volt.setup()
  await volt.ledger.append(readings(2))
  return Object.assign(volt, { setUpDatabase: database })
}

/** A host's own anchor, which fails as long as it is told to. */
function aFunctionThatFails() {
  const kept: string[] = []
  const state = { fails: true, kept }
  const anchor: Anchor = {
    name: 'host',
    async publish({ note }) {
      if (state.fails) throw new Error('mongodb://auditor:secret@elsewhere is away')
      kept.push(note)
      return undefined
    },
  }
  return { state, anchor }
}

describe('an anchor', () => {
  it('that fails keeps no checkpoint from being made, shows itself, and gets the newest one once it recovers', async () => {
    const { state, anchor } = aFunctionThatFails()
    const { ledger } = await aLedger([anchor])
    expect(await ledger.anchorStatus()).toEqual([
      { name: 'host', size: 0, anchoredAt: null, failures: 0, lastError: null },
    ])
    expect(await ledger.checkpoint()).toMatchObject({ added: 2, checkpoint: { size: 2 } })
    const [failing] = await ledger.anchorStatus()
    expect(failing).toMatchObject({ size: 0, failures: 3, lastError: expect.stringContaining('is away') })
    expect(failing?.lastError).not.toContain('secret')
    await ledger.append(readings(1))
    state.fails = false
    const { checkpoint } = await ledger.checkpoint()
    expect(state.kept).toEqual([checkpoint?.note])
    expect(await ledger.anchorStatus()).toEqual([
      { name: 'host', size: 3, anchoredAt: expect.any(Date), failures: 0, lastError: null },
    ])
  })

  it('that recovers gets the newest checkpoint also where nothing is new', async () => {
    const { state, anchor } = aFunctionThatFails()
    const { ledger } = await aLedger([anchor])
    await ledger.checkpoint()
    state.fails = false
    await ledger.checkpoint()
    await ledger.checkpoint()
    expect(state.kept).toHaveLength(1)
  })

  it('that never answers counts as failed', async () => {
    const silent: Anchor = { name: 'silent', publish: () => new Promise(() => undefined) }
    const volt = await aLedger([])
    const { checkpoint } = await volt.ledger.checkpoint()
    const log = new TransparencyLog(
      volt.database,
      {
        entries: 'power_consumption_ledger',
        checkpoints: 'ledger_checkpoints',
        tiles: 'ledger_tiles',
        segments: 'ledger_segments',
      },
      { signers: [], keys: [], anchors: [] },
    )
    const publisher = new AnchorPublisher(volt.database, anchorEntity, log, [silent], 20)
    await publisher.publish(checkpoint!)
    expect(await publisher.status()).toMatchObject([{ size: 0, failures: 3, lastError: 'no answer within 20 ms' }])
  })

  it('that fails does not keep another one from getting the checkpoint', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'anchor-'))
    cleanUpLater(() => rm(folder, { recursive: true }))
    const file = join(folder, 'checkpoints.jsonl')
    const { ledger } = await aLedger([aFunctionThatFails().anchor, fileAnchor(file, 'file')])
    const { checkpoint } = await ledger.checkpoint()
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ note: checkpoint?.note })
    expect(await ledger.verify()).toMatchObject({ valid: true, newestAnchor: { name: 'file', size: 2 } })
  })

  it('that cannot be asked is among the caveats', async () => {
    const broken: Anchor = {
      name: 'broken',
      publish: async () => undefined,
      newest: async () => {
        throw new Error('away')
      },
    }
    const volt = await aLedger([])
    await volt.ledger.checkpoint()
    const ledgerLog = { signerKeys: [keys.signerKey], anchors: [broken] }
    const { ledger } = await openVolt({ ...volt.setUpDatabase }, { ledgerLog })
    await expect(ledger.checkpoint()).rejects.toMatchObject({ code: 'ANCHOR_UNREACHABLE' })
    const report = await ledger.verify()
    expect(report).toMatchObject({ valid: true, newestAnchor: null })
    expect(report.caveats).toEqual([
      'The anchor broken could not be asked: away',
      expect.stringContaining('cannot be excluded'),
    ])
  })
})
