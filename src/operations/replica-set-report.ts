import type { Document } from 'mongodb'
import { type Admin, numberOf } from './admin.js'

/** Member report: a member of the replica set, as the one that was asked sees it. */
export interface MemberReport {
  readonly host: string
  /** Such as `PRIMARY`, `SECONDARY`, `ARBITER`, `RECOVERING`, `DOWN`. */
  readonly state: string
  readonly isHealthy: boolean
  /** How far its last write is behind the primary's, in seconds; null for one that has none, or without a primary. */
  readonly lagSeconds: number | null
  readonly upSeconds: number
}

export interface ReplicaSetReport {
  readonly name: string
  readonly members: readonly MemberReport[]
  /** From the oldest to the newest entry of the oplog, in seconds; null if the role may not read it. */
  readonly oplogSeconds: number | null
}

/** @throws DatabaseError `NOT_AUTHORIZED` without the right to `replSetGetStatus`, `DATABASE` on a standalone server. */
export async function replicaSetReport(admin: Admin): Promise<ReplicaSetReport> {
  const { set, members = [] } = await admin.runOnServer({ replSetGetStatus: 1 })
  const found: readonly Document[] = members
  const primary = found.find(({ stateStr }) => stateStr === 'PRIMARY')
  return {
    name: String(set),
    members: found.map((member) => ({
      host: String(member.name),
      state: String(member.stateStr),
      isHealthy: member.health === 1,
      lagSeconds: lagSeconds(member, primary),
      upSeconds: numberOf(member.uptime),
    })),
    oplogSeconds: await oplogSeconds(admin),
  }
}

function lagSeconds(member: Document, primary: Document | undefined): number | null {
  const [at, newest] = [member.optimeDate, primary?.optimeDate]
  if (!(at instanceof Date) || !(newest instanceof Date) || at.getTime() === 0) return null
  return Math.max(0, (newest.getTime() - at.getTime()) / 1000)
}

async function oplogSeconds({ database }: Admin): Promise<number | null> {
  const oplog = database.client.db('local').collection('oplog.rs')
  const end = (direction: 1 | -1) => oplog.findOne({}, { sort: { $natural: direction }, projection: { _id: 0, ts: 1 } })
  try {
    const [oldest, newest] = await Promise.all([end(1), end(-1)])
    const seconds = (entry: Document | null) => entry?.ts?.getHighBits() as number | undefined
    const [from, to] = [seconds(oldest), seconds(newest)]
    return from === undefined || to === undefined ? null : to - from
  } catch {
    // A role that may not read the oplog is no fault of the set.
    return null
  }
}
