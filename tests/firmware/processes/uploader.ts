// Uploads an image, and stands still after some chunks.
import { randomBytes } from 'node:crypto'
import { AutoVolt } from '@autovolt/data'
import { tellParent } from '../../support/parent.js'

const { MONGODB_URI = '', DB_NAME = '', VERSION = '', CHUNKS = '0' } = process.env
const volt = await AutoVolt.open({ uri: MONGODB_URI, dbName: DB_NAME })

async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
  for (let chunk = 0; chunk < Number(CHUNKS); chunk += 1) yield randomBytes(65_536)
  tellParent({ type: 'uploading' })
  await new Promise((resolve) => setTimeout(resolve, 60_000))
}

await volt.firmware.upload({ version: VERSION, board: 'esp32dev' }, source())
