// What the snippets of the guides take for granted: an open handle that is set up, and the url of a broker.
import { AutoVolt } from '@autovolt/data'
import { generateLogKeys } from '@autovolt/data/ledger'

const keys = { active: 'docs', keys: { docs: Buffer.alloc(32, 3) } }
const logKeys = generateLogKeys('docs.example/energy')

export interface Prelude {
  readonly volt: AutoVolt
  readonly url: string
  readonly verifierKey: string
}

/** On the database that the environment names now: a process runs several snippets, each with a database of its own. */
export async function openPrelude(): Promise<Prelude> {
  const { SNIPPET_MONGODB = '', SNIPPET_DATABASE = '', SNIPPET_MQTT = '' } = process.env
  const volt = await AutoVolt.open({
    uri: SNIPPET_MONGODB,
    dbName: SNIPPET_DATABASE,
    keys,
    ledgerLog: { signerKeys: [logKeys.signerKey] },
  })
  await volt.setup()
  await volt.classrooms.create({ name: 'Room 1' })
  return { volt, url: SNIPPET_MQTT, verifierKey: logKeys.verifierKey }
}
