import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type GroupContext, type Row, valueRow } from '../harness.js'

const program = fileURLToPath(new URL('./memory-process.ts', import.meta.url))
const bytesForEachDocument = 1000

/** The most memory that a process takes which writes, and reads back, a compressed and encrypted backup of made-up documents. */
export async function benchMemory({ documents, say }: GroupContext): Promise<Row[]> {
  const bytes = documents * bytesForEachDocument
  say(`memory: ${bytes / 1e9} GB through a process of its own`)
  const child = fork(program, [String(bytes)], { execArgv: ['--import', 'tsx'] })
  const [peakBytes] = await once(child, 'message')
  return [valueRow('backup.memory', 'MB', { value: Number(peakBytes) / 1e6 }, { atMost: 300 })]
}
