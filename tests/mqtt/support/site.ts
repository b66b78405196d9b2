import { randomUUID } from 'node:crypto'
import { MongoClient } from 'mongodb'
import type { AutoVolt } from '../../../src/autovolt.js'
import type { Device, DeviceInput } from '../../../src/devices/device.js'
import { type Ingestion, startIngestion } from '../../../src/mqtt/ingestion.js'
import type { IngestionOptions } from '../../../src/mqtt/ingestion-options.js'
import { aClassroom, aDevice, aSwitch } from '../../support/builders.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { setUpDatabase, type TestDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { secret } from './payloads.js'

export interface Site {
  readonly database: TestDatabase
  readonly volt: AutoVolt
  /** Registers a device with a light on gpio 16 and a fan on gpio 17, and a secret that it need not show if the broker vouches. */
  device(input?: Partial<DeviceInput>): Promise<Device>
  /** Starts ingestion, and closes it at the end of the test. */
  ingest(options: IngestionOptions): Promise<Ingestion>
}

/** A database of its own with a classroom, on the run's server or another. */
export async function openSite({ uri }: { readonly uri?: string } = {}): Promise<Site> {
  const database = uri === undefined ? setUpDatabase() : databaseOn(uri)
  const volt = await openVolt(database)
  await volt.setup()
  const { _id: classroom } = await volt.classrooms.create(aClassroom())
  const switches = () => [aSwitch({ gpio: 16, name: 'Light', powerRating: 60 }), aSwitch({ gpio: 17, name: 'Fan' })]
  return {
    database,
    volt,
    device: (input = {}) =>
      volt.devices.create(aDevice({ classroom, secret, authentication: 'broker', switches: switches(), ...input })),
    ingest: async (given) => {
      const ingestion = await startIngestion(volt, given)
      cleanUpLater(() => ingestion.close())
      return ingestion
    },
  }
}

function databaseOn(uri: string): TestDatabase {
  const client = new MongoClient(uri)
  cleanUpLater(() => client.close())
  const dbName = `site_${randomUUID().slice(0, 13)}`
  return { uri, dbName, client, db: client.db(dbName) }
}

/** The device's topic of version 2. */
export function v2Topic({ macAddress }: Pick<Device, 'macAddress'>, kind: string): string {
  return `autovolt/v2/${macAddress!.replaceAll(':', '').toLowerCase()}/${kind}`
}
