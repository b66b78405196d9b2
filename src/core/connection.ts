import mongoose, { type Connection } from 'mongoose'
import { DatabaseConnectionError } from './errors.js'
import type { Logger } from './logger.js'
import { redactCredentials, redactError } from './redact.js'
import { translateError } from './translate-error.js'

export interface ConnectionOptions {
  /** A MongoDB connection string. */
  readonly uri: string
  /** The database, if the connection string does not name it. */
  readonly dbName?: string
  /** @default 10 */
  readonly maxPoolSize?: number
  /** How long one attempt looks for a server. @default 5_000 */
  readonly serverSelectionTimeoutMs?: number
  /** How long a reply may take; index builds are exempt. @default 45_000 */
  readonly socketTimeoutMs?: number
  /** How long the first connection is tried for, with growing pauses. @default 30_000 */
  readonly connectRetryMs?: number
}

const firstPauseMs = 200
const longestPauseMs = 5_000

/**
 * Opens a Mongoose connection of our own. A server that cannot be reached is tried again with exponential back-off and
 * jitter, up to the limit; a refused login is not.
 * @throws DatabaseConnectionError, DatabaseError.
 */
export async function openConnection(options: ConnectionOptions, logger: Logger): Promise<Connection> {
  const deadlineMs = performance.now() + (options.connectRetryMs ?? 30_000)
  for (let attempt = 0; ; attempt += 1) {
    const connection = mongoose.createConnection()
    try {
      await connection.openUri(options.uri, driverOptions(options))
      return connection
    } catch (error) {
      await connection.destroy().catch(() => undefined)
      const translated = translateError(isParseError(error) ? safeParseError(error) : error)
      const pauseMs = Math.min(firstPauseMs * 2 ** attempt, longestPauseMs) * (0.5 + Math.random() / 2)
      const isTransient = translated instanceof DatabaseConnectionError
      if (!isTransient || performance.now() + pauseMs > deadlineMs) throw translated
      logger.warn(
        { attempt: attempt + 1, pauseMs: Math.round(pauseMs), reason: translated.message },
        'connecting again',
      )
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}

function driverOptions(options: ConnectionOptions) {
  return {
    ...(options.dbName === undefined ? {} : { dbName: options.dbName }),
    maxPoolSize: options.maxPoolSize ?? 10,
    serverSelectionTimeoutMS: options.serverSelectionTimeoutMs ?? 5_000,
    socketTimeoutMS: options.socketTimeoutMs ?? 45_000,
    retryReads: true,
    retryWrites: true,
    w: 'majority' as const,
    appName: '@autovolt/data',
    bufferCommands: false,
    autoCreate: false,
    autoIndex: false,
  }
}

/** The driver quotes connection strings that it cannot parse. */
function isParseError(error: unknown): error is Error {
  return (
    error instanceof Error &&
    (error.name === 'MongoParseError' || error.name === 'MongoInvalidArgumentError' || error.name === 'MongooseError')
  )
}

function safeParseError(error: Error): DatabaseConnectionError {
  return new DatabaseConnectionError(`The connection string is not usable: ${redactCredentials(error.message)}`, {
    cause: redactError(error),
    retryable: false,
  })
}
