import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { generateLogKeys } from '../../src/ledger/log/signed-note.js'
import { aSwitchInLedger, readings } from '../ledger/support/events.js'
import { bundled } from '../support/bundled.js'
import { cleanUpLater } from '../support/clean-up.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const keys = generateLogKeys('school.example/energy')
const root = fileURLToPath(new URL('../../', import.meta.url))
const database = testDatabase()
let folder: string
let file: string
let older: string
let since: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autovolt-cli-'))
  const { ledger, setup } = await open()
  await setup()
  const own = aSwitchInLedger()
  await ledger.append(readings(3, own))
  await ledger.checkpoint()
  older = await written('older.jsonl', await textOf(ledger.export()))
  await ledger.append(readings(2, own, 'later'))
  const { checkpoint } = await ledger.checkpoint()
  since = await written('checkpoint', checkpoint?.note ?? '')
  file = await written('ledger.jsonl', await textOf(ledger.export()))
})
cleanUpLater(() => rm(folder, { recursive: true }))

async function open() {
  const volt = await openVolt(database, { ledgerLog: { signerKeys: [keys.signerKey] } })
  return { ledger: volt.ledger, setup: () => volt.setup() }
}

async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const piece of pieces) text += piece
  return text
}

async function written(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly errors: string
}

const program = [fileURLToPath(bundled(new URL('../../src/cli/autovolt.ts', import.meta.url)))]

function run(args: readonly string[], by = program, cwd = root): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...by, ...args], { cwd })
    const [out, errors]: Buffer[][] = [[], []]
    child.stdout.on('data', (bytes) => out?.push(bytes))
    child.stderr.on('data', (bytes) => errors?.push(bytes))
    child.once('error', reject)
    child.once('close', (code) => {
      resolve({ code, out: Buffer.concat(out ?? []).toString(), errors: Buffer.concat(errors ?? []).toString() })
    })
  })
}

const verify = (...args: readonly string[]) => run(['ledger', 'verify', ...args])

describe('autovolt ledger verify', () => {
  it('ends with 0 for a sound file, and prints the report', async () => {
    const { code, out, errors } = await verify(file, '--key', keys.verifierKey)
    expect([code, errors]).toEqual([0, ''])
    expect(JSON.parse(out)).toMatchObject({
      valid: true,
      entries: 5,
      chains: 1,
      findings: [],
      checkpoint: { size: 5 },
      caveats: [expect.stringContaining('an older state of the ledger cannot be told from the newest')],
    })
  })

  it('takes the key from a file, and several of them', async () => {
    const key = await written('key', `${keys.verifierKey}\n`)
    expect((await verify(file, '--key', key)).code).toBe(0)
    const next = generateLogKeys('school.example/energy').verifierKey
    expect((await verify(file, '--key', next, '--key', key)).code).toBe(0)
  })

  it('ends with 0 for a file that goes on from a checkpoint seen before, and then has no caveat', async () => {
    const { code, out } = await verify(file, '--key', keys.verifierKey, '--since', since)
    expect(code).toBe(0)
    expect(JSON.parse(out).caveats).toEqual([])
  })

  it('ends with 1 for files that do not follow each other, and names the place', async () => {
    const { code, out } = await verify(file, older, '--key', keys.verifierKey)
    expect(code).toBe(1)
    expect(JSON.parse(out).findings[0]).toMatchObject({ damage: 'inserted', where: 'export' })
  })

  it('ends with 1 for an older file, and names the checkpoint that it lacks', async () => {
    const { code, out } = await verify(older, '--key', keys.verifierKey, '--since', since)
    expect(code).toBe(1)
    expect(JSON.parse(out).findings).toEqual([
      expect.objectContaining({ damage: 'truncated', where: 'checkpoint', checkpointSize: 5 }),
    ])
  })

  it('ends with 1 for a damaged file, one that was cut off, and one that another key has signed', async () => {
    const text = await readFile(file, 'utf8')
    const lines = text.split(/(?<=\n)/)
    const edited = await written('edited.jsonl', text.replace('"checkpoint":"school', '"checkpoint":"schooI'))
    const cut = await written('cut.jsonl', lines.slice(0, -1).join(''))
    const foreign = generateLogKeys('school.example/energy').verifierKey
    for (const args of [
      [edited, '--key', keys.verifierKey],
      [cut, '--key', keys.verifierKey],
      [file, '--key', foreign],
    ]) {
      const { code, out } = await verify(...args)
      expect(code).toBe(1)
      expect(JSON.parse(out)).toMatchObject({ valid: false })
    }
  })

  it('ends with 2 where it could not tell, and says why', async () => {
    const future = await written('future.jsonl', '{"header":{"format":"autovolt-ledger-export/2"}}\n')
    const empty = await written('empty.jsonl', '')
    const other = await written('other.txt', 'hello\n')
    const foreignSince = await written(
      'foreign-checkpoint',
      (await readFile(since, 'utf8')).replaceAll('school', 'schule'),
    )
    const key = ['--key', keys.verifierKey]
    for (const [args, why] of [
      [[file], 'name the key'],
      [[...key], 'name a file'],
      [[join(folder, 'missing.jsonl'), ...key], 'no such file'],
      [[folder, ...key], 'directory'],
      [[file, '--key', join(folder, 'missing-key')], 'no such file'],
      [[file, '--key', other], 'verifier key'],
      [[file, ...key, '--since', join(folder, 'missing')], 'no such file'],
      [[file, ...key, '--since', other], 'signed note'],
      [[file, ...key, '--since', foreignSince], 'none of the keys'],
      [[file, ...key, '--fast'], 'fast'],
      [[future, ...key], 'not known here: autovolt-ledger-export/2'],
      [[empty, ...key], 'empty'],
      [[other, ...key], 'does not begin as an export does'],
    ] as const) {
      const { code, out, errors } = await verify(...args)
      expect([code, out]).toEqual([2, ''])
      expect(errors).toMatch(/^could not tell: /)
      expect(errors).toContain(why)
    }
  }, 120_000)

  it('needs none of the packages that the library needs: its sources alone are enough', async () => {
    const alone = join(folder, 'alone')
    await cp(join(root, 'src'), join(alone, 'src'), { recursive: true })
    await writeFile(join(alone, 'package.json'), '{"type":"module"}')
    const loader = join(root, 'node_modules/tsx/dist/esm/index.mjs')
    const byItself = ['--import', loader, join(alone, 'src/cli/autovolt.ts')]
    const { code, errors } = await run(['ledger', 'verify', file, '--key', keys.verifierKey], byItself, alone)
    expect([code, errors]).toEqual([0, ''])
  })
})

describe('autovolt', () => {
  it('tells how it is used: asked for help it ends with 0, for what it does not know with 2', async () => {
    for (const [args, code] of [
      [[], 0],
      [['--help'], 0],
      [['ledger'], 2],
      [['ledger', 'erase'], 2],
    ] as const) {
      const ended = await run(args)
      expect(ended.code).toBe(code)
      expect(code === 0 ? ended.out : ended.errors).toMatch(/^Usage: autovolt ledger verify/)
    }
  })
})
