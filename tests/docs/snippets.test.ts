import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { v2Decoder } from '@autovolt/data/mqtt'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { startBackupServer } from '../backup/support/server.js'
import { type AedesBroker, startAedes } from '../support/aedes.js'
import { bundle } from '../support/bundle.js'
import { type Child, startChild } from '../support/child.js'
import { withSetUpDatabase } from '../support/database.js'
import { type CodeBlock, readCodeBlocks, rootFolder } from './code-blocks.js'

const run = promisify(execFile)
const blocks = readCodeBlocks()
const folder = join(rootFolder, '.cache/snippets')
const uri = inject('mongodbUri')
/** The server of the other tests keeps no history, which a backup reads. */
const backupServer = await startBackupServer()
const uriOf = ({ code }: CodeBlock) => (/\.backup\b/.test(code) ? backupServer.uri : uri)
const nameOf = (block: CodeBlock) => `docs_${block.place.replace(/\W/g, '_')}`
const fileOf = (block: CodeBlock) => join(folder, `${nameOf(block)}.ts`)
const key = randomBytes(32).toString('base64')
const programs = join(folder, 'programs')
/** Whether it leaves something behind that would go on beside the snippets after it in the same process. */
const hasProcessOfItsOwn = ({ code }: CodeBlock) =>
  /AutoVolt\.(open|attach)|createServer|\bprocess\.|set(Interval|Timeout)|\.start\(|\.backup\b|mqtt|\burl\b|subscribe/.test(
    code,
  )
const programFileOf = (block: CodeBlock) => join(programs, `${nameOf(block)}.js`)

describe('the snippets of README and guides', () => {
  const snippets = blocks.filter(({ language }) => language === 'ts')
  let broker: AedesBroker
  let runners: readonly Runner[]

  beforeAll(async () => {
    broker = await startAedes()
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    for (const block of snippets) await writeFile(fileOf(block), programOf(block))
    bundle(snippets.map(fileOf), programs)
    runners = await Promise.all([startRunner(), startRunner()])
  })

  /** The snippet on the servers of the test; what it takes for granted is imported. */
  function programOf(block: CodeBlock): string {
    const declares = (name: string) => new RegExp(`(const|using) (\\{ [^}]*)?\\b${name}\\b`).test(block.code)
    const uses = (name: string) => new RegExp(`\\b${name}\\b`).test(block.code)
    const isTaken = (name: string) => uses(name) && !declares(name)
    const ofPrelude = [
      ...['volt', 'verifierKey'].filter(isTaken),
      ...(/\{\s*url,/.test(block.code) && !declares('url') ? ['url'] : []),
    ]
    const isOfLedger = /^docs\/ledger(-tasks)?\.md/.test(block.place) || /\bledger\.export\b/.test(block.code)
    const taken = [
      ...(ofPrelude.length === 0 ? [] : givenBy('prelude', 'openPrelude', '', ofPrelude)),
      ...(isOfLedger && isTaken('volt')
        ? givenBy('ledger-prelude', 'fillLedger', 'volt', ['device', 'event', 'entry'].filter(isTaken))
        : []),
    ].join('\n')
    const end = hasProcessOfItsOwn(block) ? 'process.exit(0)' : isTaken('volt') ? 'await volt.close()' : ''
    const code = block.code
      .replaceAll('mongodb://localhost:27017/?replicaSet=rs0', uriOf(block))
      .replaceAll('mqtt://localhost:1883', broker.url)
      .replaceAll("'school'", 'String(process.env.SNIPPET_DATABASE)')
      .replaceAll("'tests/ledger/golden/v1'", JSON.stringify(join(rootFolder, 'tests/ledger/golden/v1')))
    return `${taken}\n${code}\nexport {}\n${end}\n`
  }

  function givenBy(file: string, give: string, argument: string, names: readonly string[]): string[] {
    return [
      `import { ${give} } from '../../tests/docs/${file}.js'`,
      `const { ${names.join(', ')} } = await ${give}(${argument})`,
    ]
  }

  it('compile', async () => {
    const options = ['--noEmit', '-p', join(rootFolder, 'tests/docs/tsconfig.json')]
    const result = await run(process.execPath, ['node_modules/typescript/bin/tsc', ...options], {
      cwd: rootFolder,
    }).catch((error) => error)
    expect(result.stdout).toBe('')
  }, 600_000)

  // Most of what each takes is the start of a process.
  it.concurrent.each(snippets.map((block) => [block.place, block] as const))(
    '%s runs',
    async (_, block) => {
      // Files that the snippet writes are its own.
      const cwd = join(folder, nameOf(block))
      await mkdir(cwd, { recursive: true })
      const isOfBackup = uriOf(block) !== uri
      if (isOfBackup) await runs(block, nameOf(block), cwd)
      else if (hasProcessOfItsOwn(block)) await withSetUpDatabase(({ dbName }) => runs(block, dbName, cwd))
      else await withSetUpDatabase(({ dbName }) => runsAfterOthers(block, dbName, cwd))
    },
    600_000,
  )

  /** A runner, and the end of what it has to run until now. */
  interface Runner {
    readonly child: Child
    ran: Promise<unknown>
  }

  async function startRunner(): Promise<Runner> {
    const child = startChild(new URL('./snippet-runner.ts', import.meta.url), { env: environment(uri) })
    await child.next('ready')
    return { child, ran: Promise.resolve() }
  }

  async function runsAfterOthers(block: CodeBlock, dbName: string, cwd: string): Promise<void> {
    const runner = runners[snippets.indexOf(block) % runners.length]
    if (runner === undefined) throw new Error('No runner was started')
    const ran = runner.ran.then(() => {
      runner.child.send({ type: 'run', program: pathToFileURL(programFileOf(block)).href, dbName, folder: cwd })
      return runner.child.next('ran', 550_000)
    })
    // Whether this one runs is said by its own test.
    runner.ran = ran.catch(() => undefined)
    expect(await ran).toEqual({ type: 'ran', errors: '' })
  }

  const environment = (mongodbUri: string) => ({
    SNIPPET_MONGODB: mongodbUri,
    SNIPPET_MQTT: broker.url,
    AUTOVOLT_KEY: key,
  })

  async function runs(block: CodeBlock, dbName: string, cwd: string): Promise<void> {
    const env = { ...process.env, ...environment(uriOf(block)), SNIPPET_DATABASE: dbName }
    const start = () => run(process.execPath, [programFileOf(block)], { cwd, env, timeout: 550_000 })
    expect((await start()).stderr).toBe('')
    if (block.place.startsWith('docs/ten-minutes') && block.code.includes('AUTOVOLT_KEY')) {
      const again = await start()
      expect(again.stderr).toBe('')
      expect(again.stdout).toMatch(/energyKwh: 0\.0[\s\S]*valid: true/)
      const { AUTOVOLT_KEY: _, ...keyless } = env
      const stopped = run(process.execPath, [programFileOf(block)], { cwd, env: keyless, timeout: 550_000 })
      await expect(stopped).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('openssl rand') })
    }
  }
})

describe('the messages in docs/mqtt.md', () => {
  const messages = blocks.filter(({ place, language }) => place.startsWith('docs/mqtt.md') && language === 'json')
  const kinds = ['switch', 'refused', 'power', 'heartbeat', 'status', 'status', 'status']

  const fromDevices = messages.slice(0, kinds.length)

  it.each(fromDevices.map(({ code }, at) => [kinds[at] ?? '', code.trim()]))('are understood: %s', (kind, message) => {
    const decoding = v2Decoder().decode(`autovolt/v2/aabbccddee01/${kind}`, Buffer.from(message))
    expect(decoding).toHaveProperty('reports')
  })

  it('end with what devices are sent', () => {
    const commands = messages.slice(kinds.length).map(({ code }) => Object.keys(JSON.parse(code)))
    expect(commands).toEqual([
      ['id', 'time', 'gpio', 'state', 'userId', 'userName', 'hmac'],
      ['id', 'time', 'rollout', 'version', 'board', 'bytes', 'sha256', 'url', 'expires', 'hmac'],
    ])
  })
})

describe('the README', () => {
  it('has the two commands that set everything up', () => {
    const commands = blocks
      .filter(({ place, language }) => place.startsWith('README') && language === 'sh')
      .map(({ code }) => code.trim())
    expect(commands).toContain('npm ci && npm start')
    expect(commands).toContain('npm ci && npm test')
  })
})
