import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { generateLogKeys } from '../../src/ledger/log/signed-note.js'
import { aSwitchInLedger, readings } from '../ledger/support/events.js'
import { bundled } from '../support/bundled.js'
import { cleanUpLater } from '../support/clean-up.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'
import { root, runAutovolt } from './support/run-command.js'

const keys = generateLogKeys('school.example/energy')
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

const verify = (...args: readonly string[]) => runAutovolt(['ledger', 'verify', ...args])

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
      caveats: [expect.stringContaining('an older state of the ledger cannot be distinguished from the newest')],
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

  it('reads a FIFO, which can be read once alone, as it reads a file', async () => {
    const damaged = (await readFile(file, 'utf8')).replace('"entry":"', '"entry":"A')
    for (const [name, content, expected] of [
      ['sound', await readFile(file), 0],
      ['damaged', damaged, 1],
    ] as const) {
      const fifo = join(folder, `fifo-${name}`)
      await promisify(execFile)('mkfifo', [fifo])
      const [ended] = await Promise.all([verify(fifo, older, '--key', keys.verifierKey), writeFile(fifo, content)])
      const alone = await verify(await written(name, String(content)), older, '--key', keys.verifierKey)
      expect(ended.code).toBe(alone.code)
      expect(JSON.parse(ended.out)).toEqual(JSON.parse(alone.out))
      await rm(fifo)
      await promisify(execFile)('mkfifo', [fifo])
      const [single] = await Promise.all([verify(fifo, '--key', keys.verifierKey), writeFile(fifo, content)])
      expect(single.code).toBe(expected)
    }
  })

  it('is stopped by one signal, also where a pipe never says anything, and leaves no file behind', async () => {
    const program = fileURLToPath(bundled(new URL('../../src/cli/autovolt.ts', import.meta.url)))
    const [fifo, temporary] = [join(folder, 'silent'), join(folder, 'temporary')]
    await mkdir(temporary)
    await promisify(execFile)('mkfifo', [fifo])
    const exit = '"$!"; wait "$!"; echo "ended with $?"'
    const command = `"${process.execPath}" "${program}" ledger verify "${fifo}" --key "${keys.verifierKey}"`
    const env = { ...process.env, TMPDIR: temporary }
    const writing = `exec 3<>"${fifo}"; echo '{"header"' >&3;`
    const ends = [
      { writer: '', signal: 'TERM', code: 143 },
      { writer: writing, signal: 'TERM', code: 143 },
      { writer: writing, signal: 'INT', code: 130 },
    ].map(async ({ writer, signal, code }) => {
      // Without job control a shell has its background commands ignore SIGINT.
      const script = `set -m; ${writer} ${command} & sleep 15; kill -${signal} ${exit}`
      const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script], { env })
      expect(stdout).toBe(`ended with ${code}\n`)
      expect(stderr).toContain(`could not tell: Stopped by SIG${signal}`)
    })
    await Promise.all(ends)
    expect(await readdir(temporary)).toEqual([])
  })

  it('reads the standard input as a pipe', async () => {
    const program = fileURLToPath(bundled(new URL('../../src/cli/autovolt.ts', import.meta.url)))
    const command = `cat "${file}" | "${process.execPath}" "${program}" ledger verify /dev/stdin --key "${keys.verifierKey}"`
    const { stdout } = await promisify(execFile)('sh', ['-c', command])
    expect(JSON.parse(stdout)).toMatchObject({ valid: true, entries: 5 })
  })

  it('does not read a key, or a checkpoint, without end', async () => {
    for (const option of ['--key', '--since']) {
      const { code, errors } = await verify(file, '--key', keys.verifierKey, option, '/dev/zero')
      expect([code, errors]).toEqual([2, expect.stringContaining('is no key and no checkpoint')])
    }
  })

  it('says that a checkpoint has a byte-order mark or CRLF, and takes a key that has', async () => {
    const note = await readFile(since, 'utf8')
    const marked = await written('marked', `\ufeff${note}`)
    const returned = await written('returned', note.replaceAll('\n', '\r\n'))
    expect((await verify(file, '--key', keys.verifierKey, '--since', marked)).errors).toContain('byte-order mark')
    expect((await verify(file, '--key', keys.verifierKey, '--since', returned)).errors).toContain('CRLF')
    const key = await written('key-crlf', `\ufeff${keys.verifierKey}\r\n`)
    expect((await verify(file, '--key', key)).code).toBe(0)
  })

  it('ends with 1 for files that do not follow each other, and names the place', async () => {
    const { code, out } = await verify(file, older, '--key', keys.verifierKey)
    expect(code).toBe(1)
    expect(JSON.parse(out).findings).toMatchObject([{ damage: 'overlapping', where: 'export' }])
  })

  it('explains each kind of finding once, and how to look at it', async () => {
    const text = await readFile(file, 'utf8')
    const entries = text.split(/(?<=\n)/).filter((line) => !line.startsWith('{"entry"'))
    const without = await written('without.jsonl', entries.join(''))
    const { code, errors } = await verify(without, file, '--key', keys.verifierKey)
    expect(code).toBe(1)
    const lines = errors.trim().split('\n')
    expect(new Set(lines).size).toBe(lines.length)
    for (const line of lines) expect(line).toMatch(/^[a-z_]+ \([a-z_]+\): [A-Z].*\. [A-Z].*\.$/)
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
  }, 600_000)

  it('needs none of the packages that the library needs: its sources alone are enough', async () => {
    const alone = join(folder, 'alone')
    await cp(join(root, 'src'), join(alone, 'src'), { recursive: true })
    await writeFile(join(alone, 'package.json'), '{"type":"module"}')
    const loader = join(root, 'node_modules/tsx/dist/esm/index.mjs')
    const byItself = ['--import', loader, join(alone, 'src/cli/autovolt.ts')]
    const { code, errors } = await runAutovolt(['ledger', 'verify', file, '--key', keys.verifierKey], {
      program: byItself,
      cwd: alone,
    })
    expect([code, errors]).toEqual([0, ''])
  })
})
