import { AutoVolt } from '@autovolt/data'
import { ObjectId } from 'mongodb'
import { EventSource } from './events.js'

/** What a writer process is asked to do. */
export interface WriterTask {
  readonly uri: string
  readonly dbName: string
  /** The chains to append to, in hexadecimal. */
  readonly switchIds: readonly string[]
  readonly entries: number
  readonly batchSize: number
}

/** Appends as it is told, tells how long it took, and ends. */
async function main(task: WriterTask): Promise<void> {
  await using volt = await AutoVolt.open({ uri: task.uri, dbName: task.dbName })
  const place = { deviceId: new ObjectId(), classroom: new ObjectId() }
  const source = new EventSource(task.switchIds.map((id) => ({ ...place, switchId: new ObjectId(id) })))
  process.send?.('ready')
  await new Promise<void>((resolve) => process.once('message', () => resolve()))
  for (let done = 0; done < task.entries; done += task.batchSize) {
    await volt.ledger.append(source.next(Math.min(task.batchSize, task.entries - done)))
  }
  process.send?.('done')
}

await main(JSON.parse(process.argv[2] ?? '') as WriterTask)
process.disconnect()
