import { createHash } from 'node:crypto'
import { Writable } from 'node:stream'
import fc from 'fast-check'
import type { AutoVolt } from '../../src/autovolt.js'
import { verifyStoredBackup } from '../../src/backup/read/verify-stored-backup.js'
import { run } from '../../src/cli/run.js'
import { ExportError } from '../../src/ledger/export/export-error.js'
import { verifyExport } from '../../src/ledger/export/export-verifier.js'
import { NoteError } from '../../src/ledger/log/signed-note.js'
import { deployedDecoder } from '../../src/mqtt/deployed-decoder.js'
import { meteredDecoder } from '../../src/mqtt/metered-decoder.js'
import { v2Decoder } from '../../src/mqtt/v2-decoder.js'
import { MemoryStorage } from '../backup/support/memory-storage.js'
import { argumentsOf, callSafely, takesArguments } from '../doors/arguments.js'
import { hostileValues, spoilt } from '../doors/hostile-values.js'
import { outcomeOf } from '../doors/outcome.js'
import { exportedFunctions, handleFunctions, type PublicFunction } from '../doors/public-functions.js'

/** One kind of door: what comes in by it, and what must hold whatever comes. */
export interface Target {
  readonly name: string
  readonly property: fc.IAsyncProperty<unknown>
}

/** What the targets are tried on. */
export interface Subjects {
  readonly volt: AutoVolt
  /** A sound export, and the key that it verifies with. */
  readonly exported: Buffer
  readonly verifierKey: string
  /** The files of a sound backup, by their paths. */
  readonly backedUp: ReadonlyMap<string, Buffer>
  /** Of a command line that works on this database. */
  readonly env: Readonly<Record<string, string>>
}

export function targetsOf({ volt, exported, verifierKey, backedUp, env }: Subjects): Target[] {
  const own = handleFunctions(volt)
  const named = (pattern: RegExp) => own.filter(({ name }) => pattern.test(name))
  const questions = /^volt\.(analytics|energy|rollUps|measurements|telemetry|intervals|analyticsCache)\./
  const others = /^volt\.(backup|migrations|registers)\.|^volt\.\w+$/
  return [
    calls(
      'repositories',
      named(/^volt\.\w+\./).filter(({ name }) => !questions.test(name) && !others.test(name)),
    ),
    calls('questions', named(questions)),
    calls('ledger calls', named(/^volt\.ledger\./)),
    calls('other calls of the handle', named(others)),
    calls('exports', exportedFunctions()),
    { name: 'decoders', property: decoders() },
    { name: 'files', property: files(exported, verifierKey) },
    { name: 'backups', property: backups(backedUp, verifierKey) },
    { name: 'command line', property: commandLine(env) },
  ]
}

/** Anything that JSON, a query string or a careless caller can bring. */
const anything = () =>
  fc.oneof(
    fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withTypedArray: true,
      maxDepth: 3,
    }),
    fc.jsonValue(),
    fc.constantFrom(...hostileValues()),
    fc.dictionary(fc.constantFrom('$gt', '$where', '__proto__', 'a.b', '_id', 'name', 'deletedAt'), fc.anything()),
  )

/** Arguments that fit, but for one or two places. */
function calls(name: string, functions: readonly PublicFunction[]): Target {
  const able = functions.filter(takesArguments)
  const arbitrary = fc.tuple(fc.nat(able.length - 1), anything(), fc.nat(), anything(), fc.nat())
  return {
    name,
    property: fc.asyncProperty(arbitrary, async ([which, first, firstAt, second, secondAt]) => {
      const called = able[which] as PublicFunction
      const once = pick([...spoilt(argumentsOf(called), [first])], firstAt)
      const args = pick([...spoilt(once, [second]), once], secondAt)
      const error = await outcomeOf(() => callSafely(called, args))
      if (error !== undefined) throw new Error(`${called.name} throws a raw ${String(error)}`, { cause: error })
      if ('polluted' in {}) throw new Error('Object.prototype was changed')
    }),
  }
}

function pick<T>(list: readonly T[], at: number): T {
  return list[at % list.length] as T
}

const messages = [
  '{"id":"17-204","boot":"17","seq":204,"time":1763715600000,"gpio":16,"state":true,"cause":"manual"}',
  '{"id":"17-205","boot":"17","seq":205,"time":"2026-11-21T09:00:05.000Z","gpio":16,"powerW":61.5,"energyWh":12}',
  '{"status":"online","boot":"17"}',
  '{"mac":"AA:BB:CC:DD:EE:01","switches":[{"gpio":16,"state":true}],"uptime":5}',
  '{"power_w":5,"energy_wh_total":12,"switch_state":"on","timestamp":1763715600}',
]
const topics = ['switch', 'power', 'heartbeat', 'status'].map((kind) => `autovolt/v2/aabbccddee01/${kind}`)
const longestDetail = 1000

function decoders(): fc.IAsyncProperty<unknown> {
  const all = [
    v2Decoder(),
    deployedDecoder({ statusTopics: ['esp32/{mac}/status'] }),
    meteredDecoder({ meter: { device: { macAddress: 'aabbccddee01' }, gpio: 16 } as never }),
  ]
  const topic = fc.oneof(
    fc.constantFrom(...topics, 'esp32/state', 'esp32/telemetry', 'esp32/a/status', 'meter'),
    fc.string(),
  )
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((text) => Buffer.from(text)),
    altered(messages.map((text) => Buffer.from(text))),
  )
  return fc.asyncProperty(topic, payload, async (given, bytes) => {
    for (const decoder of all) {
      const decoding = decoder.decode(given, bytes)
      if ('reports' in decoding) continue
      if (typeof decoding.reason !== 'string') throw new Error(`${decoder.name} says neither what it is nor why not`)
      if (String(decoding.detail).length > longestDetail) throw new Error(`${decoder.name} repeats what it was given`)
    }
  })
}

/** One of the texts with some bytes changed, taken away, repeated or put in. */
function altered(texts: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const edit = fc.record({ at: fc.nat(), take: fc.nat(20), put: fc.uint8Array({ maxLength: 20 }), repeats: fc.nat(2) })
  return fc.tuple(fc.nat(texts.length - 1), fc.array(edit, { minLength: 1, maxLength: 4 })).map(([which, edits]) =>
    edits.reduce((bytes, { at, take, put, repeats }) => {
      const start = bytes.length === 0 ? 0 : at % bytes.length
      const between = Array.from({ length: repeats + 1 }, () => Buffer.from(put))
      return Buffer.concat([bytes.subarray(0, start), ...between, bytes.subarray(start + take)])
    }, texts[which] as Buffer),
  )
}

function files(exported: Buffer, verifierKey: string): fc.IAsyncProperty<unknown> {
  const sound = digestOf(exported)
  return fc.asyncProperty(altered([exported]), async (bytes) => {
    try {
      const report = await verifyExport(
        async function* () {
          yield bytes
        },
        { verifierKeys: [verifierKey] },
      )
      if (report.valid && digestOf(bytes) !== sound) throw new Error('an altered export verifies')
    } catch (error) {
      if (!(error instanceof ExportError || error instanceof NoteError)) throw error
    }
  })
}

function backups(backedUp: Subjects['backedUp'], verifierKey: string): fc.IAsyncProperty<unknown> {
  const paths = [...backedUp.keys()]
  const change = fc.nat(paths.length - 1).chain((which) => {
    const path = paths[which] as string
    return altered([backedUp.get(path) as Buffer]).map((bytes) => ({ path, bytes }))
  })
  return fc.asyncProperty(change, async ({ path, bytes }) => {
    const storage = new MemoryStorage()
    for (const [name, content] of backedUp) storage.files.set(name, content)
    storage.files.set(path, bytes)
    const found: { valid?: boolean } = {}
    const error = await outcomeOf(async () => {
      found.valid = (await verifyStoredBackup({ storage, verifierKeys: [verifierKey] })).valid
    })
    if (error !== undefined) throw new Error(`${path}: ${String(error)}`, { cause: error })
    const isSame = bytes.equals(backedUp.get(path) as Buffer)
    if (found.valid === true && !isSame) throw new Error(`${path} was altered, and the backup verifies`)
  })
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

const words = [
  'setup',
  'migrate',
  'status',
  'adopt',
  'seed',
  'backup',
  'restore',
  'backups',
  'verify-backup',
  'ledger',
  'verify',
]
const options = [
  '--help',
  '--json',
  '--key',
  '--since',
  '--keys',
  '--from',
  '--folder',
  '--language',
  '--to',
  '--dry-run',
]
/** What no terminal is to get. */
const controls = /[\p{Cc}\p{Cf}]/u

function commandLine(env: Subjects['env']): fc.IAsyncProperty<unknown> {
  const word = fc.oneof(
    fc.constantFrom(...words, ...options),
    fc.string(),
    fc.constantFrom('\u001b[2J', '/dev/null', '-', '--'),
  )
  return fc.asyncProperty(fc.array(word, { maxLength: 6 }), fc.boolean(), async (args, hasDatabase) => {
    const written: string[] = []
    const stream = new Writable({
      write(chunk, _, done) {
        written.push(String(chunk))
        done()
      },
    })
    const context = { out: stream, errors: stream, env: hasDatabase ? env : {} }
    const code = await run(args, { ...context, signal: AbortSignal.timeout(10_000) })
    if (![0, 1, 2].includes(code)) throw new Error(`the exit code is ${code}`)
    const shown = controls.exec(written.join('').replace(/[\n\t]/g, ''))
    if (shown !== null) throw new Error(`a control character is printed: ${JSON.stringify(shown[0])}`)
  })
}
