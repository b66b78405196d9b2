import { randomBytes } from 'node:crypto'
import type { StorageAccess } from '../storage/storage-access.js'

/** Small files beside the backups, which say something of them. */
const verifiedPrefix = 'marks/verified/'
const inUsePrefix = 'marks/in-use/'
const clockPrefix = 'marks/clock/'

const verifiedMs = 24 * 60 * 60_000
const renewEveryMs = 60_000
/** A process that was killed leaves its mark behind: it counts for so long. */
const inUseMs = 5 * renewEveryMs

/** What time it is for the storage: the clocks of those who use it may be wrong. */
export async function storageNow(storage: StorageAccess): Promise<Date> {
  const path = `${clockPrefix}${randomBytes(8).toString('hex')}`
  await writeMark(storage, path)
  try {
    for await (const file of storage.list(path)) return file.modifiedAt
  } finally {
    await storage.remove(path)
  }
  return new Date()
}

/** Notes that every byte of the backup was read, and whether it is right. */
export async function noteVerification(storage: StorageAccess, id: string, isValid: boolean): Promise<void> {
  if (isValid) return writeMark(storage, `${verifiedPrefix}${id}`)
  // That it is damaged is what counts: where only reading is allowed there is no mark of this storage's own.
  await removeVerifiedMark(storage, id).catch(() => undefined)
}

/** The backups that were verified within the last day: what was right a month ago may have been damaged since. */
export async function verifiedIds(storage: StorageAccess, now: Date): Promise<Set<string>> {
  const ids = new Set<string>()
  for await (const { path, modifiedAt } of storage.list(verifiedPrefix))
    if (now.getTime() - modifiedAt.getTime() < verifiedMs) ids.add(path.slice(verifiedPrefix.length))
  return ids
}

export async function removeVerifiedMark(storage: StorageAccess, id: string): Promise<void> {
  await storage.remove(`${verifiedPrefix}${id}`)
}

/** The backups that somebody reads just now. */
export async function idsInUse(storage: StorageAccess, now: Date): Promise<Set<string>> {
  const ids = new Set<string>()
  for await (const { path, modifiedAt } of storage.list(inUsePrefix)) {
    if (now.getTime() - modifiedAt.getTime() < inUseMs) ids.add(path.slice(inUsePrefix.length).split('/')[0] ?? '')
    else await storage.remove(path)
  }
  return ids
}

/** Keeps a backup from being removed while the work goes on. A storage that can only be read is read without. */
export async function whileInUse<Result>(
  storage: StorageAccess,
  id: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const path = `${inUsePrefix}${id}/${randomBytes(8).toString('hex')}`
  const mark = () => writeMark(storage, path).catch(() => undefined)
  await mark()
  const renewal = setInterval(() => void mark(), renewEveryMs)
  renewal.unref()
  try {
    return await work()
  } finally {
    clearInterval(renewal)
    await storage.remove(path).catch(() => undefined)
  }
}

function writeMark(storage: StorageAccess, path: string): Promise<void> {
  return storage.write(
    path,
    (async function* () {
      yield Buffer.from('\n')
    })(),
  )
}
