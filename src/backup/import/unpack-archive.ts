import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { DatabaseError } from '../../core/errors.js'
import { readParts, readPrelude } from '../format/archive.js'
import { ByteReader } from '../format/byte-reader.js'
import { Crc64 } from '../format/crc64.js'
import { FormatError } from '../format/format-error.js'
import { databaseNamePattern } from '../format/manifest.js'
import { dataFileOf, manifestCollection, metadataFileOf } from '../format/names.js'

/**
 * Writes an archive of mongodump as the folder that mongodump would have written. Collections may lie in it in any order,
 * a piece of one after a piece of another; each has to have its end, and the checksum that this says.
 * @throws DatabaseError `BACKUP_DAMAGED`.
 */
export async function unpackArchive(archive: string, folder: string): Promise<void> {
  const stored = createReadStream(archive, { highWaterMark: 1 << 20 })
  const [first] = await firstBytes(archive)
  const files = new Map<string, Unpacking>()
  try {
    await using reader = new ByteReader(first === 0x1f ? pipeline(stored, createGunzip(), () => undefined) : stored)
    await unpack(reader, folder, files)
  } catch (error) {
    if (error instanceof DatabaseError) throw error
    const problem = error instanceof Error ? error.message : String(error)
    throw new DatabaseError('BACKUP_DAMAGED', `The archive cannot be read: ${problem}`)
  } finally {
    for (const { file } of files.values()) await file.close()
  }
}

/** A file that is not there yet, for nobody else to read. */
const ownNew = { flag: 'wx', mode: 0o600 } as const

interface Unpacking {
  readonly file: FileHandle
  readonly crc: Crc64
  hasEnded: boolean
}

async function firstBytes(archive: string): Promise<Buffer> {
  const file = await open(archive, 'r').catch((cause: unknown) => {
    throw new DatabaseError('CONFIGURATION', `${archive} cannot be read`, { cause })
  })
  try {
    return (await file.read(Buffer.alloc(1), 0, 1, 0)).buffer
  } finally {
    await file.close()
  }
}

async function unpack(reader: ByteReader, folder: string, files: Map<string, Unpacking>): Promise<void> {
  const { serverVersion, collections } = await readPrelude(reader)
  for (const { database, name, metadata, type } of collections) {
    if (name === manifestCollection) continue
    if (!databaseNamePattern.test(database)) throw new FormatError(`no database is called ${JSON.stringify(database)}`)
    await mkdir(join(folder, database), { recursive: true })
    await writeFile(join(folder, metadataFileOf(database, name)), metadata === '' ? '{}' : metadata, ownNew)
    if (type === 'view') continue
    const stored = type === 'timeseries' ? `system.buckets.${name}` : name
    const file = await open(join(folder, dataFileOf(database, stored)), ownNew.flag, ownNew.mode)
    files.set(`${database}.${stored}`, { file, crc: new Crc64(), hasEnded: false })
  }
  await writeFile(join(folder, 'prelude.json'), JSON.stringify({ ServerVersion: serverVersion }), ownNew)
  for await (const part of readParts(reader)) {
    const namespace = `${part.database}.${part.collection}`
    const own = files.get(namespace)
    if (own === undefined && part.collection !== manifestCollection)
      throw new FormatError(`it has documents of ${namespace}, which it does not list`)
    if ('crc' in part) {
      if (own !== undefined && own.crc.digest() !== part.crc)
        throw new FormatError(`the CRC of ${namespace} is another`)
      if (own !== undefined) own.hasEnded = true
    } else
      for await (const document of part.documents) {
        own?.crc.update(document)
        await own?.file.write(document)
      }
  }
  const unfinished = [...files].find(([, { hasEnded }]) => !hasEnded)
  if (unfinished !== undefined) throw new FormatError(`it is cut off: ${unfinished[0]} has no end`)
}
