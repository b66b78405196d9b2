import { setTimeout as sleep } from 'node:timers/promises'
import { type Connection, type ConnectOptions, Mongoose } from 'mongoose'
import { DatabaseConnectionError, DatabaseError } from './errors.js'
import type { Logger } from './logger.js'
import { OriginalError, redactCredentials } from './redact.js'
import { translateError } from './translate-error.js'

export interface ConnectionOptions {
  /** A MongoDB connection string. What it says of the options below holds, unless they are given. */
  readonly uri: string
  /** The database, if the connection string does not name it. */
  readonly dbName?: string
  /** @default 10 */
  readonly maxPoolSize?: number
  /** How long one attempt, and later each operation, looks for a server. @default 5_000 */
  readonly serverSelectionTimeoutMs?: number
  /** How long a reply may take; index builds are exempt. @default 45_000 */
  readonly socketTimeoutMs?: number
  /**
   * How long the first connection is tried for in all, with growing pauses. @default `serverSelectionTimeoutMs` if that is
   * given, else 30_000
   */
  readonly connectRetryMs?: number
  /** Has the driver report each command, which `volt.operations.measureCalls()` needs. @default false */
  readonly monitorCommands?: boolean
}

const firstPauseMs = 200
const longestPauseMs = 5_000
/** In less no server can be asked. */
const shortestAttemptMs = 50

/**
 * Opens a Mongoose connection of our own. A server that cannot be reached is tried again with exponential back-off and
 * jitter, up to the limit; a refused login is not.
 * @throws DatabaseConnectionError if no server was reached, DatabaseError `NOT_AUTHORIZED` if the login is refused,
 * `CONFIGURATION` if the connection string or an option cannot be used.
 */
export async function openConnection(options: ConnectionOptions, logger: Logger): Promise<Connection> {
  requireUsable(options)
  const limitMs = retryLimitMs(options)
  const deadlineMs = performance.now() + limitMs
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await openWithin(Math.max(shortestAttemptMs, deadlineMs - performance.now()), options)
    } catch (error) {
      const translated = translateOpening(error, options.uri)
      const pauseMs = Math.min(firstPauseMs * 2 ** attempt, longestPauseMs) * (0.5 + Math.random() / 2)
      const isTransient = translated instanceof DatabaseConnectionError
      if (!isTransient) throw translated
      if (performance.now() + pauseMs + shortestAttemptMs > deadlineMs) throw givenUp(translated, attempt + 1, limitMs)
      logger.warn(
        { attempt: attempt + 1, pauseMs: Math.round(pauseMs), reason: translated.message },
        'connecting again',
      )
      await sleep(pauseMs)
    }
  }
}

/** Makes one attempt. */
async function openWithin(limitMs: number, options: ConnectionOptions): Promise<Connection> {
  const chosen = driverOptions(options)
  const selectionMs = chosen.serverSelectionTimeoutMS ?? numberInUri(options.uri, selectionParameter) ?? 0
  if (selectionMs <= limitMs + shortestAttemptMs) return openOnce(options.uri, chosen)
  // The time that is left is for this attempt, not for every operation afterwards: the server is there, so it is opened anew.
  const trial = await openOnce(options.uri, { ...chosen, serverSelectionTimeoutMS: Math.ceil(limitMs) })
  await trial.destroy()
  return openOnce(options.uri, chosen)
}

async function openOnce(uri: string, driverOptions: ConnectOptions): Promise<Connection> {
  // A Mongoose of our own: the host's settings and plugins are for the host's models.
  const connection = new Mongoose().createConnection()
  try {
    await connection.openUri(uri, driverOptions)
    return connection
  } catch (error) {
    await connection.destroy().catch(() => undefined)
    throw error
  }
}

const selectionParameter = 'serverSelectionTimeoutMS'

/** Who says how long a server is looked for has said how long the first one is, too. */
function retryLimitMs({ uri, connectRetryMs, serverSelectionTimeoutMs }: ConnectionOptions): number {
  return connectRetryMs ?? serverSelectionTimeoutMs ?? numberInUri(uri, selectionParameter) ?? 30_000
}

function numberInUri(uri: string, name: string): number | undefined {
  const found = new RegExp(`[?&]${name}=(\\d+)`, 'i').exec(uri)?.[1]
  return found === undefined ? undefined : Number(found)
}

function givenUp(error: DatabaseError, attempts: number, limitMs: number): DatabaseConnectionError {
  const times = attempts === 1 ? 'once' : `${attempts} times`
  const message = `${error.message} (tried ${times}, for ${limitMs} ms)`
  return new DatabaseConnectionError(message, { cause: error.cause })
}

const numbers = ['maxPoolSize', 'serverSelectionTimeoutMs', 'socketTimeoutMs', 'connectRetryMs'] as const
const databaseInUri = /^mongodb(?:\+srv)?:\/\/[^/]+\/[^?]/

/** What the driver would take for something else than it says. */
function requireUsable(options: ConnectionOptions): void {
  const { uri, dbName } = options
  if (typeof uri !== 'string') {
    throw new DatabaseError('CONFIGURATION', 'A `uri` is needed, such as mongodb://localhost:27017/?replicaSet=rs0')
  }
  for (const name of numbers) {
    const value: unknown = options[name]
    if (value !== undefined && !(Number.isInteger(value) && Number(value) >= 0)) {
      throw new DatabaseError('CONFIGURATION', `The option ${name} has to be a whole number that is not negative`)
    }
  }
  if (uri.startsWith('mongodb') && (dbName === undefined ? !databaseInUri.test(uri) : dbName === '')) {
    throw new DatabaseError('CONFIGURATION', 'Name the database: in the option `dbName`, or in the connection string')
  }
}

function driverOptions(options: ConnectionOptions): ConnectOptions {
  const { uri, dbName, maxPoolSize, serverSelectionTimeoutMs, socketTimeoutMs, monitorCommands } = options
  const isInUri = (name: string) => new RegExp(`[?&]${name}=`, 'i').test(uri)
  const defaults: ConnectOptions = {
    ...(isInUri('maxPoolSize') ? {} : { maxPoolSize: 10 }),
    ...(isInUri('serverSelectionTimeoutMS') ? {} : { serverSelectionTimeoutMS: 5_000 }),
    ...(isInUri('socketTimeoutMS') ? {} : { socketTimeoutMS: 45_000 }),
    ...(isInUri('retryReads') ? {} : { retryReads: true }),
    ...(isInUri('retryWrites') ? {} : { retryWrites: true }),
    ...(isInUri('w') ? {} : { w: 'majority' }),
    ...(isInUri('appName') ? {} : { appName: '@autovolt/data' }),
  }
  return {
    ...defaults,
    ...(dbName === undefined ? {} : { dbName }),
    ...(maxPoolSize === undefined ? {} : { maxPoolSize }),
    ...(serverSelectionTimeoutMs === undefined ? {} : { serverSelectionTimeoutMS: serverSelectionTimeoutMs }),
    ...(socketTimeoutMs === undefined ? {} : { socketTimeoutMS: socketTimeoutMs }),
    ...(monitorCommands === undefined ? {} : { monitorCommands }),
    bufferCommands: false,
    autoCreate: false,
    autoIndex: false,
  }
}

const unusableNames = new Set([
  'MongoParseError',
  'MongoInvalidArgumentError',
  'MongoMissingCredentialsError',
  'MongoAPIError',
])

function translateOpening(error: unknown, uri: unknown): DatabaseError {
  if (error instanceof Error && unusableNames.has(error.name)) return unusable(error, uri)
  const translated = translateError(error)
  if (translated instanceof DatabaseError) return translated
  const original = error instanceof Error ? error : new Error('The driver failed')
  return isLookup(original) ? notFound(original) : unusable(original, uri)
}

/** Whether a name server was asked in vain: of `mongodb+srv` even the hosts come from there. */
function isLookup(error: Error): boolean {
  return 'syscall' in error && /^(query|getaddrinfo)/.test(String(error.syscall))
}

function notFound(error: Error): DatabaseConnectionError {
  const cause = new OriginalError(error)
  return new DatabaseConnectionError(`The database cannot be reached: ${cause.message}`, { cause })
}

/** The driver quotes connection strings that it cannot parse, whole or in part: where it does, its message is not used. */
function unusable(error: Error, uri: unknown): DatabaseError {
  const quotes = credentialsIn(uri).some((part) => error.message.includes(part))
  const reason = quotes ? 'the driver refuses it' : redactCredentials(error.message)
  return new DatabaseError('CONFIGURATION', `The connection string or an option cannot be used: ${reason}`)
}

const secretParameter = /[?&][^=&]*(?:password|token|secret|properties|credential)[^=&]*=([^&]*)/gi

/** Everything in the connection string that may be secret, as it is written and decoded. */
function credentialsIn(uri: unknown): string[] {
  if (typeof uri !== 'string') return []
  const userInfo = /^(?:[^/]*:\/\/)?(.*)@/s.exec(uri)?.[1] ?? ''
  const parameters = [...uri.matchAll(secretParameter)].map((match) => match[1] ?? '')
  const parts = [uri, userInfo, ...userInfo.split(':'), ...parameters].filter((part) => part !== '')
  return [...parts, ...parts.map(decoded)]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
