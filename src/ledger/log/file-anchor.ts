import { type FileHandle, open } from 'node:fs/promises'
import type { Anchor, AnchoredCheckpoint, PublishedCheckpoint } from './anchor.js'
import { decodeBase64 } from './base64.js'
import { parseTreeHead, type TreeHead } from './checkpoint-text.js'
import { provesConsistency } from './merkle-proof.js'
import { NoteError, parseNote } from './signed-note.js'

const chunkBytes = 64 * 1024

/**
 * Keeps checkpoints in a file, one JSON object a line, each on the disk before it counts; nothing in it is ever changed. Put
 * it where those who can write to the database cannot write: another machine's disk, a medium that is written once. It takes
 * only what goes on from the last one that it keeps, so a ledger that was rolled back or rewritten cannot push that one aside.
 */
export function fileAnchor(path: string, name = `file:${path}`): Anchor {
  return {
    name,
    async publish(checkpoint) {
      const file = await open(path, 'a+', 0o644)
      try {
        const last = await lastKept(file)
        if (last?.note === checkpoint.note) return undefined
        if (last !== undefined) await requireGoingOn(last, checkpoint)
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

/** The signature is for whoever verifies to check, who knows the keys. */
function treeHeadOf(note: string): TreeHead {
  return parseTreeHead(parseNote(note).text)
}

/** Whether the file is empty or ends with a line feed. */
async function endsInLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat()
  if (size === 0) return true
  const { buffer } = await file.read({ buffer: Buffer.alloc(1), position: size - 1 })
  return buffer[0] === 0x0a
}

/** The last whole line, however long the file is: one that was cut off by a crash does not count. */
async function lastKept(file: FileHandle): Promise<AnchoredCheckpoint | undefined> {
  let start = (await file.stat()).size
  let tail: Buffer = Buffer.alloc(0)
  while (start > 0) {
    const length = Math.min(chunkBytes, start)
    start -= length
    const { buffer } = await file.read({ buffer: Buffer.alloc(length), position: start })
    tail = Buffer.concat([buffer, tail])
    const lines = tail.toString('utf8').split('\n')
    // The first one may have begun before.
    const kept = (start > 0 ? lines.slice(1) : lines).map(parseLine).findLast((line) => line !== undefined)
    if (kept !== undefined) return kept
  }
  return undefined
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function parseLine(line: string): AnchoredCheckpoint | undefined {
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
