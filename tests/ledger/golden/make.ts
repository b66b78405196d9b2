// Made tests/ledger/golden/v1, once: `npx tsx tests/ledger/golden/make.ts FOLDER`. It overwrites nothing.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AutoVolt } from '../../../src/autovolt.js'
import type { Anchor } from '../../../src/ledger/log/anchor.js'
import { parseNote } from '../../../src/ledger/log/signed-note.js'
import { startReplicaSet } from '../../../src/testing/index.js'
import { cosignature } from '../../support/cosignature.js'
import { erasedKey, firstEvents, firstKeys, laterEvents, now, secondKeys, witness } from './inputs.js'

const [folder = ''] = process.argv.slice(2)
const write = (name: string, text: string) => writeFile(join(folder, name), text, { flag: 'wx' })
const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

const signing: Anchor = {
  name: 'witness',
  async publish({ note }) {
    const { name, seed, seconds } = witness
    return [cosignature(name, seed, parseNote(note).text, seconds).trimEnd()]
  },
}

const replicaSet = await startReplicaSet()
const open = (signerKeys: readonly string[], anchors: readonly Anchor[] = []) =>
  AutoVolt.open({
    uri: replicaSet.uri,
    dbName: 'golden',
    clock: { now: () => now },
    ledgerLog: { signerKeys, verifierKeys: [firstKeys.verifierKey], anchors },
  })
try {
  await using before = await open([firstKeys.signerKey])
  await before.setup()
  await before.ledger.append(firstEvents)
  const first = await before.ledger.checkpoint()
  await using volt = await open([firstKeys.signerKey, secondKeys.signerKey], [signing])
  const appended = await volt.ledger.append(laterEvents)
  const erased = appended.find(({ entry }) => entry.idempotencyKey === erasedKey)
  await volt.ledger.erasePersonalData(erased?.entry._id ?? '')
  await volt.ledger.checkpoint()
  const entries = await volt.ledger.find({}, { sort: { switchId: 1, sequence: 1 }, limit: 100 })
  const proofs = await Promise.all(entries.map(({ _id }) => volt.ledger.proveInclusion(_id)))
  const size = entries.length
  const exported = async (personalData: boolean) => {
    let text = ''
    for await (const piece of volt.ledger.export({ personalData })) text += piece
    return text
  }
  await write('export.jsonl', await exported(true))
  await write('first-checkpoint.txt', first.checkpoint?.note ?? '')
  await write('last-checkpoint.txt', proofs[0]?.checkpoint ?? '')
  await write('inclusion.json', json(proofs))
  await write('consistency.json', json(await volt.ledger.proveConsistency(first.checkpoint?.size ?? 0, size)))
  await volt.ledger.archive({ file: join(folder, 'archive.jsonl'), throughSize: first.checkpoint?.size ?? 0 })
  await write('after-archive.jsonl', await exported(false))
  await write('keys.txt', `${firstKeys.verifierKey}\n${secondKeys.verifierKey}\n`)
} finally {
  await replicaSet.stop()
}
