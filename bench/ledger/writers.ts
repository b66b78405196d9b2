import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { secondsOf } from '../harness.js'
import type { WriterTask } from './writer-process.js'

const script = fileURLToPath(new URL('./writer-process.ts', import.meta.url))

/** Runs a writer process for each task, all at once. @returns the seconds from their start to the end of the last. */
export async function runWriters(tasks: readonly WriterTask[]): Promise<number> {
  const writers = tasks.map((task) => fork(script, [JSON.stringify(task)], { execArgv: ['--import', 'tsx'] }))
  await Promise.all(writers.map((writer) => message(writer, 'ready')))
  return secondsOf(async () => {
    for (const writer of writers) writer.send('go')
    await Promise.all(writers.map((writer) => message(writer, 'done')))
  })
}

async function message(writer: ChildProcess, expected: string): Promise<void> {
  const exit = once(writer, 'exit').then(([code]) => {
    throw new Error(`A writer ended with code ${code}`)
  })
  const [text] = await Promise.race([once(writer, 'message'), exit])
  exit.catch(() => undefined)
  if (text !== expected) throw new Error(`A writer said ${String(text)}`)
}
