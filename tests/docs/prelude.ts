// What the snippets of the guides take for granted: an open handle that is set up, and the url of a broker.
import { AutoVolt, generateLogKeys } from '@autovolt/data'

const { SNIPPET_MONGODB = '', SNIPPET_DATABASE = '', SNIPPET_MQTT = '' } = process.env
const keys = { active: 'docs', keys: { docs: Buffer.alloc(32, 3) } }
const logKeys = generateLogKeys('docs.example/energy')

export const volt: AutoVolt = await AutoVolt.open({
  uri: SNIPPET_MONGODB,
  dbName: SNIPPET_DATABASE,
  keys,
  ledgerLog: { signerKeys: [logKeys.signerKey] },
})
await volt.setup()
await volt.classrooms.create({ name: 'Room 1' })
export const url: string = SNIPPET_MQTT
export const { verifierKey } = logKeys
