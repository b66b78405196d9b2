import type { Document } from 'mongodb'
import { DatabaseError } from '../core/errors.js'
import { type Admin, numberOf } from './admin.js'
import { shapeOf } from './calls/query-shape.js'

/** Running operation: what the server is doing for somebody at this moment. */
export interface RunningOperation {
  /** What `kill` takes: a number, or of a sharded cluster a text. */
  readonly id: number | string
  readonly collection: string
  /** What it asks for, without a value. */
  readonly shape: string
  readonly runningMs: number
  readonly planSummary: string | null
  readonly isWaitingForLock: boolean
  /** The name that the client gave itself; null if it gave none. */
  readonly application: string | null
}

/**
 * The operations on this database that have run for longer than so many milliseconds, the longest first.
 * @throws DatabaseError `NOT_AUTHORIZED` for those of others without the right to `inprog`.
 */
export async function runningOperations(admin: Admin, longerThanMs: number): Promise<RunningOperation[]> {
  const prefix = `${admin.database.connection.name}.`
  const found = await admin.aggregate(null, [
    { $currentOp: { allUsers: true, idleConnections: false, idleSessions: false } },
    { $match: { active: true, microsecs_running: { $gt: longerThanMs * 1000 } } },
  ])
  return found
    .filter(({ ns }) => typeof ns === 'string' && ns.startsWith(prefix))
    .filter(({ command }) => !isOurLook(command))
    .map((operation) => describe(operation, prefix))
    .toSorted((a, b) => b.runningMs - a.runningMs)
}

/** The server's own change streams wait by themselves, and are no work. */
function isOurLook(command: unknown): boolean {
  const { pipeline } = (command ?? {}) as Document
  return Array.isArray(pipeline) && pipeline.some((stage) => stage?.$currentOp !== undefined)
}

function describe({ opid, ns, command, planSummary, ...operation }: Document, prefix: string): RunningOperation {
  return {
    id: typeof opid === 'string' ? opid : numberOf(opid),
    collection: String(ns).slice(prefix.length),
    shape: shapeOf(String(operation.op), command),
    runningMs: numberOf(operation.microsecs_running) / 1000,
    planSummary: typeof planSummary === 'string' ? planSummary : null,
    isWaitingForLock: operation.waitingForLock === true,
    application: typeof operation.appName === 'string' ? operation.appName : null,
  }
}

/**
 * Ends one operation on this database, by the id that {@link runningOperations} gave.
 * @throws DatabaseError `CONFIGURATION` for what is no id, `DATABASE` where there is no such operation on this database.
 */
export async function killOperation(admin: Admin, id: number | string): Promise<void> {
  if (typeof id !== 'string' && !Number.isSafeInteger(id))
    throw new DatabaseError('CONFIGURATION', 'The id of an operation is a number, or of a sharded cluster a text')
  const running = await runningOperations(admin, 0)
  if (!running.some((operation) => operation.id === id))
    throw new DatabaseError('DATABASE', 'There is no such operation on this database, or it has ended')
  await admin.runOnServer({ killOp: 1, op: id })
}
