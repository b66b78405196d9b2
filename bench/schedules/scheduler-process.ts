import { setTimeout as sleep } from 'node:timers/promises'
import { AutoVolt } from '@autovolt/data'
import { MongoClient } from 'mongodb'

/** What a scheduler process is asked to do. */
export interface SchedulerTask {
  readonly uri: string
  readonly dbName: string
  /** The time of day that it has, epoch milliseconds. */
  readonly nowMs: number
  /** How many actions all processes are to do. */
  readonly expected: number
}

/** Does what is due until all of it is done, tells when it did its last, and ends. */
async function main({ uri, dbName, nowMs, expected }: SchedulerTask): Promise<void> {
  await using client = await new MongoClient(uri).connect()
  const queue = client.db(dbName).collection<{ _id: string; status: string }>('queue')
  let lastMs = Date.now()
  await using volt = await AutoVolt.open({
    uri,
    dbName,
    clock: { now: () => new Date(nowMs) },
    schedules: {
      action: async (actions) => {
        await queue.insertMany(
          actions.map(({ key }) => ({ _id: key, status: 'queued' })),
          {
            ordered: false,
            writeConcern: { w: 'majority', j: true },
          },
        )
        lastMs = Date.now()
      },
    },
  })
  await volt.health()
  process.send?.('ready')
  await new Promise<void>((resolve) => process.once('message', () => resolve()))
  while ((await queue.estimatedDocumentCount()) < expected) {
    const { done } = await volt.schedules.run()
    if (done === 0) await sleep(100)
  }
  process.send?.(lastMs)
}

await main(JSON.parse(process.argv[2] ?? '') as SchedulerTask)
process.disconnect()
