import { AutoVolt, type OpenOptions } from '../../src/autovolt.js'
import { keyRing } from './builders.js'
import { cleanUpLater } from './clean-up.js'
import type { TestDatabase } from './database.js'

/** A handle on the database, with keys for secrets. Closed at the end of the test, or of the file where it is made there. */
export async function openVolt(database: TestDatabase, options: Omit<OpenOptions, 'uri'> = {}): Promise<AutoVolt> {
  const { uri, dbName } = database
  const volt = await AutoVolt.open({ uri, dbName, keys: keyRing('first'), ...options })
  cleanUpLater(() => volt.close())
  return volt
}
