import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { DatabaseError } from '../../core/errors.js'
import type { Anchor, AnchoredCheckpoint, PublishedCheckpoint } from './anchor.js'
import { decodeBase64 } from './base64.js'
import { parseTreeHead, type TreeHead } from './checkpoint-text.js'
import { provesConsistency } from './merkle-proof.js'
import { NoteError, parseNote } from './signed-note.js'

const { O_APPEND, O_CREAT, O_RDONLY, O_RDWR } = constants
/** A link could lead checkpoints to where they are lost; Windows knows no such flag. */
const noLinks = constants.O_NOFOLLOW ?? 0
const chunkBytes = 64 * 1024
/** A line with the longest note is shorter: what goes on for longer without one is no file of checkpoints. */
const longestTail = 4 * 1024 * 1024
const lineFeed = 0x0a

/**
 * Keeps checkpoints in a file, one JSON object a line, each on the disk before it counts; nothing in it is ever changed. Put
 * it where those who can write to the database cannot write: another machine's disk, a medium that is written once. It takes
 * only what goes on from the last one that it keeps, and follows no link in the file's place, so a ledger that was rolled back or rewritten cannot push that one aside.
 */
export function fileAnchor(path: string, name?: string): Anchor {
  requireTexts(path, name)
  return {
    name: name ?? `file:${path}`,
    async publish(checkpoint) {
      const file = await open(path, O_APPEND | O_CREAT | O_RDWR | noLinks, 0o600)
      try {
        for (let last = await lastKept(file), isNewest = false; !isNewest; ) {
          if (last?.note === checkpoint.note) return undefined
          if (last !== undefined) await requireGoingOn(last, checkpoint)
          // A proof can take long: another process may have written a later one meanwhile.
          const now = await lastKept(file)
          isNewest = now?.note === last?.note
          last = now
        }
        // What a crash has cut off stays a line of its own.
        const start = (await endsInLine(file)) ? '' : '\n'
        const kept = { anchoredAt: new Date().toISOString(), note: checkpoint.note }
        await file.appendFile(`${start}${JSON.stringify(kept)}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
      return undefined
    },
    async newest() {
      const file = await openIfThere(path)
      if (file === undefined) return undefined
      try {
        return await lastKept(file)
      } finally {
        await file.close()
      }
    },
  }
}

/** @throws DatabaseError `CONFIGURATION`. */
function requireTexts(path: unknown, name: unknown): void {
  const isPath = typeof path === 'string' && path !== '' && !path.includes('\0')
  if (isPath && (name === undefined || typeof name === 'string')) return
  throw new DatabaseError('CONFIGURATION', 'A file anchor is made of the path of a file, and a name')
}

/** @throws Error if the checkpoint does not begin with what the file keeps. */
async function requireGoingOn(kept: AnchoredCheckpoint, checkpoint: PublishedCheckpoint): Promise<void> {
  const [before, now] = [treeHeadOf(kept.note), treeHeadOf(checkpoint.note)]
  if (now.size < before.size)
    throw new Error(`the file keeps a checkpoint of ${before.size} entries, this one is of ${now.size}`)
  const hashes = (await checkpoint.consistencyFrom(before.size)).map(decodeBase64)
  const goesOn =
    before.origin === now.origin &&
    provesConsistency(
      before.size,
      now.size,
      before.rootHash,
      now.rootHash,
      hashes.filter((hash) => hash !== undefined),
    )
  if (!goesOn)
    throw new Error(`the checkpoint does not go on from that of ${before.size} entries, which the file keeps`)
}

/** The signature is checked by the verifier, who knows the keys. */
function treeHeadOf(note: string): TreeHead {
  return parseTreeHead(parseNote(note).text)
}

/** Whether the file is empty or ends with a line feed. */
async function endsInLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat()
  if (size === 0) return true
  const { buffer } = await file.read({ buffer: Buffer.alloc(1), position: size - 1 })
  return buffer[0] === lineFeed
}

/**
 * The last whole line, however long the file is: one that was cut off by a crash does not count.
 * @throws Error if the file has lines, and none is a checkpoint: it is of another program, or damaged, and not empty.
 */
async function lastKept(file: FileHandle): Promise<AnchoredCheckpoint | undefined> {
  const { size } = await file.stat()
  /** The end of a line that begins before what was read so far. */
  let end: Buffer = Buffer.alloc(0)
  let hasLines = false
  for (let start = size; start > 0 && size - start <= longestTail; ) {
    const length = Math.min(chunkBytes, start)
    start -= length
    const { buffer } = await file.read({ buffer: Buffer.alloc(length), position: start })
    const bytes = Buffer.concat([buffer, end])
    hasLines ||= bytes.includes(lineFeed)
    // Without a line feed all of it is a part of one line.
    const begin = start === 0 ? 0 : bytes.indexOf(lineFeed) + 1 || bytes.length
    const kept = bytes
      .toString('utf8', begin)
      .split('\n')
      .map(parseLine)
      .findLast((line) => line !== undefined)
    if (kept !== undefined) return kept
    end = bytes.subarray(0, begin)
  }
  if (hasLines || size > longestTail)
    throw new Error('the file of the anchor has lines, and none that can be read is a checkpoint')
  return undefined
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, O_RDONLY | noLinks)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function parseLine(text: string): AnchoredCheckpoint | undefined {
  // Editors put a byte-order mark before the first line.
  const line = text.replace(/^\ufeff/, '')
  if (!line.startsWith('{')) return undefined
  try {
    const { anchoredAt, note } = JSON.parse(line)
    if (typeof note !== 'string' || Number.isNaN(Date.parse(anchoredAt))) return undefined
    treeHeadOf(note)
    return { note, anchoredAt: new Date(anchoredAt) }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof NoteError) return undefined
    throw error
  }
}
