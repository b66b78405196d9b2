import { inspect } from 'node:util'
import { MongoClient } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { AutoVolt } from '../../src/autovolt.js'
import { DatabaseError } from '../../src/core/errors.js'
import type { Logger } from '../../src/core/logger.js'
import { redactCredentials } from '../../src/core/redact.js'
import { freePort } from '../support/free-port.js'
import { startStandalone } from './support/standalone.js'

const user = 'ravindra'
const password = 'Xy7!kQz'
const encoded = encodeURIComponent(password)
const parts = [password, encoded, user, 'kQz', 'Xy7']

/** Everything that could be shown of a value: to a reader of the console, of a log in JSON, or of an error's properties. */
function everythingOf(value: unknown): string {
  const chain = [value]
  for (let next = value; next instanceof Error && next.cause !== undefined; next = next.cause) chain.push(next.cause)
  return chain
    .flatMap((one) => [
      inspect(one, { depth: 20, showHidden: one instanceof Error, getters: one instanceof Error }),
      JSON.stringify(one) ?? '',
      String(one),
      one instanceof Error ? `${one.stack} ${one.message}` : '',
    ])
    .join('\n')
}

function expectNoCredentials(value: unknown): void {
  const shown = everythingOf(value)
  expect(parts.filter((part) => shown.includes(part))).toEqual([])
}

function recorder() {
  const lines: unknown[] = []
  const log = (fields: object, message: string) => void lines.push({ fields, message })
  const logger: Logger = { debug: log, info: log, warn: log, error: log }
  return { logger, lines }
}

const malformed = [
  `mongodb://${user}:${password}@`,
  `mongodb://${user}:${password}@/school`,
  `mongodb://${user}:${password}/x@127.0.0.1:1/`,
  `mongodb://${user}:${password}@x@127.0.0.1:1/`,
  `mongodb://${user}:${password}:y@127.0.0.1:1/`,
  `mongodb://${user}:${password} z@127.0.0.1:1/`,
  `mongodb://${user}:%${password}@127.0.0.1:1/`,
  `mongodb:/${user}:${password}@127.0.0.1:1/`,
  `${user}:${password}@127.0.0.1:1`,
  `mongdb://${user}:${encoded}@127.0.0.1:1/`,
  `mongodb://${user}:${encoded}@127.0.0.1:99999/`,
  `mongodb://${user}:${encoded}@127.0.0.1:abc/`,
  `mongodb://${user}:${encoded}@127.0.0.1:1/?maxPoolSize=many`,
  `mongodb://${user}:${encoded}@127.0.0.1:1/?nonsense=1`,
  `mongodb://${user}:${encoded}@127.0.0.1:1/?tls=true&tls=false`,
  `mongodb://127.0.0.1:1/?authMechanism=MONGODB-X509&tlsCertificateKeyFilePassword=${encoded}&tlsCertificateKeyFile=/nowhere`,
  `mongodb://127.0.0.1:1/?authMechanism=MONGODB-AWS&authMechanismProperties=AWS_SESSION_TOKEN:${encoded}x,${user}`,
  `mongodb+srv://${user}:${encoded}@127.0.0.1/`,
  `mongodb+srv://${user}:${encoded}@no-such-host.invalid/`,
]

describe('credentials', () => {
  it.each(malformed)('are not shown of %s', async (uri) => {
    const { logger, lines } = recorder()
    const opening = AutoVolt.open({ uri, dbName: 'school', connectRetryMs: 0, serverSelectionTimeoutMs: 100, logger })
    const error: unknown = await opening.then(
      (volt) => volt.close(),
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(DatabaseError)
    expectNoCredentials(error)
    expectNoCredentials(lines)
  })

  it('are not shown where the server cannot be reached, nor in the log of the attempts', async () => {
    const { logger, lines } = recorder()
    const uri = `mongodb://${user}:${encoded}@127.0.0.1:${await freePort()}/?replicaSet=rs0`
    const opening = AutoVolt.open({ uri, dbName: 'school', connectRetryMs: 500, serverSelectionTimeoutMs: 100, logger })
    expectNoCredentials(await opening.catch((error: unknown) => error))
    expect(lines.length).toBeGreaterThan(0)
    expectNoCredentials(lines)
  })

  it('are not shown by a handle that works, nor by anything that hangs on it', async () => {
    const { uri, port } = await startStandalone({ args: ['--auth'] })
    await using client = new MongoClient(uri)
    await client.db('admin').command({ createUser: user, pwd: password, roles: ['root'] })
    const { logger, lines } = recorder()
    await using volt = await AutoVolt.open({
      uri: `mongodb://${user}:${encoded}@127.0.0.1:${port}/`,
      dbName: 'school',
      logger,
      logQueries: true,
    })
    await volt.classrooms.find()
    expectNoCredentials(volt)
    expectNoCredentials(volt.database)
    expectNoCredentials(volt.devices)
    expectNoCredentials(await volt.health())
    expectNoCredentials(lines)
    const failed: unknown = await volt.database
      .run(volt.entityOf('devices'), 'test', () => volt.database.native.command({ nonsense: 1 }))
      .catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(DatabaseError)
    expectNoCredentials(failed)
  })
})

it.each([
  ['mongodb://u:p@h:1/x', 'mongodb://***@h:1/x'],
  ['mongodb://u:p@ss@h:1/x', 'mongodb://***@h:1/x'],
  ['mongodb://u:p/w@h:1/x', 'mongodb://***@h:1/x'],
  [
    'connecting to mongodb+srv://u:p@h and mqtts://a:b@c now',
    'connecting to mongodb+srv://***@h and mqtts://***@c now',
  ],
  ['amqp://guest:guest@rabbit', 'amqp://***@rabbit'],
  ['mongodb://h:1/x', 'mongodb://h:1/x'],
  ['asha@example.org is no connection string', 'asha@example.org is no connection string'],
])('makes of %j %j', (text, redacted) => {
  expect(redactCredentials(text)).toBe(redacted)
})

it('credentials are found in work that grows with the text', () => {
  expect(redactCredentials(`${'a.'.repeat(500_000)} mongodb://u:p@h ${'a://'.repeat(250_000)}`)).toContain(
    'mongodb://***@h',
  )
  expect(redactCredentials('amqps://u:p@ss/@h:1/x, see http://example.org')).toBe(
    'amqps://***@h:1/x, see http://example.org',
  )
})
