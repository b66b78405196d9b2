import { hostname, userInfo } from 'node:os'
import { packageVersion } from '../../core/package-version.js'
import type { MigrationRun } from './migration-record.js'

/** This process, as the history names it. @param actor Who runs it; the user of the machine if left out. */
export function runOf(actor: string | undefined, fence: number): MigrationRun {
  const { actor: name, host, pid } = identityOf(actor)
  return { actor: name, host, pid, packageVersion, fence }
}

/** This process, as the lock names it. */
export function holderOf(actor: string | undefined): string {
  const { actor: name, host, pid } = identityOf(actor)
  return `process ${pid} on ${host} (${name})`.slice(0, 300)
}

function identityOf(actor: string | undefined) {
  return { actor: actor ?? userName(), host: hostname().slice(0, 256) || 'unknown', pid: process.pid }
}

/** A container's user need not have a name. */
function userName(): string {
  try {
    return userInfo().username.slice(0, 256) || 'unknown'
  } catch {
    return 'unknown'
  }
}
