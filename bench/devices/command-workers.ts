import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { AutoVolt } from '@autovolt/data'
import { type GroupContext, type Row, secondsOf, valueRow } from '../harness.js'
import { idOf } from './fleet.js'

const processes = 8
const mostCommands = 40_000
const script = fileURLToPath(new URL('./command-worker-process.ts', import.meta.url))

/** Eight processes that claim and complete what is in the queue; none may be sent twice. */
export async function benchCommandWorkers(
  volt: AutoVolt,
  uri: string,
  { documents, say }: GroupContext,
): Promise<Row[]> {
  const commands = Math.min(mostCommands, 2 * documents)
  say(`commands: ${commands} of them, ${processes} worker processes`)
  const workers = Array.from({ length: processes }, () =>
    fork(script, [JSON.stringify({ uri, dbName: volt.database.connection.name })], { execArgv: ['--import', 'tsx'] }),
  )
  await Promise.all(workers.map((worker) => message(worker)))
  for (let from = 0; from < commands; from += 1_000) {
    const requests = Array.from({ length: Math.min(1_000, commands - from) }, (_, at) => {
      const n = from + at
      return { device: idOf('device', n >> 1), command: 'turn_on', switch: idOf('switch', n), expiresInMs: 3_600_000 }
    })
    await volt.commands.enqueueMany(requests)
  }
  const seconds = await secondsOf(async () => {
    for (const worker of workers) worker.send('go')
    while (await volt.commands.exists({ isOpen: true })) await new Promise((resolve) => setTimeout(resolve, 100))
  })
  for (const worker of workers) worker.kill()
  const once = await volt.commands.count({ status: 'succeeded', attempts: 1 })
  if (once !== commands) throw new Error(`${commands - once} commands were not sent exactly once`)
  return [valueRow('commands.claim-and-complete', 'commands/s', { value: commands / seconds }, { atLeast: 2_000 })]
}

async function message(worker: ChildProcess): Promise<void> {
  await once(worker, 'message')
}
