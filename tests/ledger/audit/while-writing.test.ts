import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { setUpDatabase } from '../../support/database.js'
import { runs } from '../../support/extent.js'
import { openVolt } from '../../support/volt.js'
import { aSwitchInLedger, readings } from '../support/events.js'
import { keys } from './support/site.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database, { ledgerLog: { signerKeys: [keys.signerKey] } })
  await volt.setup()
})

describe('an empty ledger', () => {
  it('is never valid', async () => {
    const report = await volt.ledger.verify()
    expect(report).toMatchObject({ valid: false, entries: 0, chains: 0, findings: [], checkpoint: null })
    expect(report.caveats[0]).toBe('There was nothing to verify.')
    expect((await volt.ledger.verify({ switchIds: [] })).valid).toBe(false)
    const { deviceId, switchId } = aSwitchInLedger()
    await expect(volt.ledger.verifyChainIntegrity(deviceId, switchId)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('a verification', () => {
  it('raises no false alarm while entries are appended, erased from and covered by checkpoints', async () => {
    const chains = Array.from({ length: 8 }, aSwitchInLedger)
    let isOver = false
    let appended = 0
    const append = async (which: number) => {
      for (let round = 0; !isOver; round += 1) {
        const events = [which, which + 1, which + 2].flatMap((at) => readings(20, chains[at % 8], `${which} ${round}`))
        await volt.ledger.append(events)
        const [result] = await volt.ledger.append([
          { ...readings(1, chains[which], `personal ${which} ${round}`)[0]!, notes: 'somebody was here' },
        ])
        if (round % 2 === 1) await volt.ledger.erasePersonalData(result!.entry._id)
        appended += events.length + 1
      }
    }
    const cover = async () => {
      while (!isOver) await volt.ledger.checkpoint()
    }
    const writing = Promise.all([append(0), append(3), append(6), cover()])
    try {
      const { note } = (await volt.ledger.append(readings(3, chains[0])).then(() => volt.ledger.checkpoint()))
        .checkpoint!
      const { deviceId, switchId } = chains[0]!
      for (let round = 0; round < runs(3) || appended < runs(200); round += 1) {
        const reports = await Promise.all([
          volt.ledger.verify(),
          volt.ledger.verify({ knownCheckpoint: note }),
          volt.ledger.verify({ knownCheckpoint: note, onlySince: true }),
          volt.ledger.verifyChainIntegrity(deviceId, switchId),
        ])
        for (const { findings } of reports) expect(findings).toEqual([])
      }
    } finally {
      isOver = true
      await writing
    }
    expect(await volt.ledger.verify()).toMatchObject({ valid: true, chains: 8 })
  })

  it('tells how far it is, and ends when it is told to', async () => {
    const progress: number[] = []
    const report = await volt.ledger.verify({ onProgress: ({ entries }) => progress.push(entries) })
    expect(progress.at(-1)).toBe(report.entries)
    const reason = new Error('enough')
    await expect(volt.ledger.verify({ signal: AbortSignal.abort(reason) })).rejects.toThrow('enough')
  })
})
