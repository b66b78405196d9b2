import { type FileHandle, open, readFile } from 'node:fs/promises'
import type { Anchor, AnchoredCheckpoint } from './anchor.js'

/**
 * Keeps checkpoints in a file, one JSON object a line, each on the disk before it counts; nothing in it is ever changed. Put
 * it where those who can write to the database cannot write: another machine's disk, a medium that is written once.
 */
export function fileAnchor(path: string, name = `file:${path}`): Anchor {
  return {
    name,
    async publish({ note }) {
      const file = await open(path, 'a+', 0o644)
      try {
        // What a crash has cut off stays a line of its own.
        const start = (await endsInLine(file)) ? '' : '\n'
        await file.appendFile(`${start}${JSON.stringify({ anchoredAt: new Date().toISOString(), note })}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
      return undefined
    },
    async newest() {
      const lines = (await readIfThere(path)).split('\n').filter((line) => line !== '')
      // A last line that was cut off by a crash does not count.
      return lines.map(parseLine).findLast((kept) => kept !== undefined)
    },
  }
}

/** Whether the file is empty or ends with a line feed. */
async function endsInLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat()
  if (size === 0) return true
  const { buffer } = await file.read({ buffer: Buffer.alloc(1), position: size - 1 })
  return buffer[0] === 0x0a
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}

function parseLine(line: string): AnchoredCheckpoint | undefined {
  try {
    const { anchoredAt, note } = JSON.parse(line)
    return typeof note === 'string' ? { note, anchoredAt: new Date(anchoredAt) } : undefined
  } catch {
    return undefined
  }
}
