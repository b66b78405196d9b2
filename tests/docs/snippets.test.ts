import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { v2Decoder } from '@autovolt/data/mqtt'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type AedesBroker, startAedes } from '../support/aedes.js'
import { bundle } from '../support/bundled.js'
import { type CodeBlock, readCodeBlocks, rootFolder } from './code-blocks.js'

const run = promisify(execFile)
const blocks = readCodeBlocks()
const folder = join(rootFolder, '.cache/snippets')
const uri = inject('mongodbUri')
const databaseOf = (block: CodeBlock) => `docs_${block.place.replace(/\W/g, '_')}`
const fileOf = (block: CodeBlock) => join(folder, `${databaseOf(block)}.ts`)
const programs = join(folder, 'programs')
const programFileOf = (block: CodeBlock) => join(programs, `${databaseOf(block)}.js`)

describe('the snippets of README and guides', () => {
  const snippets = blocks.filter(({ language }) => language === 'ts')
  let broker: AedesBroker

  beforeAll(async () => {
    broker = await startAedes()
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    for (const block of snippets) await writeFile(fileOf(block), programOf(block))
    bundle(snippets.map(fileOf), programs)
  })

  afterAll(async () => {
    const client = new MongoClient(uri)
    for (const block of snippets) await client.db(databaseOf(block)).dropDatabase()
    await client.close()
  })

  /** The snippet on the servers of the test; what it takes for granted is imported. */
  function programOf(block: CodeBlock): string {
    const declares = (name: string) => new RegExp(`(const|using) (\\{ [^}]*)?\\b${name}\\b`).test(block.code)
    const uses = (name: string) => new RegExp(`\\b${name}\\b`).test(block.code)
    const isTaken = (name: string) => uses(name) && !declares(name)
    const taken = [
      ...['volt', 'verifierKey'].filter(isTaken),
      ...(/\{\s*url,/.test(block.code) && !declares('url') ? ['url'] : []),
    ]
    const isOfLedger = block.place.startsWith('docs/ledger.md') || /\bledger\.export\b/.test(block.code)
    const ofLedger = isOfLedger && isTaken('volt')
    const prelude = [
      ...(taken.length === 0 ? [] : [`import { ${taken.join(', ')} } from '../../tests/docs/prelude.js'\n`]),
      ...(ofLedger ? ledgerImports(['device', 'event', 'entry'].filter(isTaken)) : []),
    ].join('')
    const code = block.code
      .replaceAll('mongodb://localhost:27017/?replicaSet=rs0', uri)
      .replaceAll('mqtt://localhost:1883', broker.url)
      .replaceAll("'school'", `'${databaseOf(block)}'`)
    return `${prelude}${code}\nexport {}\nprocess.exit(0)\n`
  }

  function ledgerImports(names: readonly string[]): string[] {
    const module = "'../../tests/docs/ledger-prelude.js'"
    return [names.length === 0 ? `import ${module}\n` : `import { ${names.join(', ')} } from ${module}\n`]
  }

  it('compile', async () => {
    const options = ['--noEmit', '-p', join(rootFolder, 'tests/docs/tsconfig.json')]
    const result = await run(process.execPath, ['node_modules/typescript/bin/tsc', ...options], {
      cwd: rootFolder,
    }).catch((error) => error)
    expect(result.stdout).toBe('')
  }, 120_000)

  // Most of what each takes is the start of a process.
  it.concurrent.each(snippets.map((block) => [block.place, block] as const))(
    '%s runs',
    async (_, block) => {
      const env = {
        ...process.env,
        SNIPPET_MONGODB: uri,
        SNIPPET_DATABASE: databaseOf(block),
        SNIPPET_MQTT: broker.url,
      }
      // Files that the snippet writes are its own.
      const cwd = join(folder, databaseOf(block))
      await mkdir(cwd, { recursive: true })
      const start = () => run(process.execPath, [programFileOf(block)], { cwd, env, timeout: 60_000 })
      expect((await start()).stderr).toBe('')
      if (block.place.startsWith('README') && block.code.includes('dailyByClassroom')) {
        const again = await start()
        expect(again.stderr).toBe('')
        expect(again.stdout).toMatch(/energyKwh: 0\.0[\s\S]*valid: true/)
      }
    },
    150_000,
  )
})

describe('the messages in docs/mqtt.md', () => {
  const messages = blocks.filter(({ place, language }) => place.startsWith('docs/mqtt.md') && language === 'json')
  const kinds = ['switch', 'power', 'heartbeat', 'status', 'status']

  const fromDevices = messages.slice(0, kinds.length)

  it.each(fromDevices.map(({ code }, at) => [kinds[at] ?? '', code.trim()]))('are understood: %s', (kind, message) => {
    const decoding = v2Decoder().decode(`autovolt/v2/aabbccddee01/${kind}`, Buffer.from(message))
    expect(decoding).toHaveProperty('reports')
  })

  it('end with the one command that devices are sent', () => {
    const commands = messages.slice(kinds.length).map(({ code }) => Object.keys(JSON.parse(code)))
    expect(commands).toEqual([['id', 'time', 'gpio', 'state', 'userId', 'userName', 'hmac']])
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
