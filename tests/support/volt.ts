import { AutoVolt } from '../../src/autovolt.js'
import type { EntityExtensions } from '../../src/domains.js'
import type { OpenOptions } from '../../src/handle-options.js'
import { keyRing } from './builders.js'
import { cleanUpLater } from './clean-up.js'
import type { TestDatabase } from './database.js'

/** A handle on the database, with keys for secrets. Closed at the end of the test, or of the file where it is made there. */
export async function openVolt<Extended extends EntityExtensions = object>(
  database: Pick<TestDatabase, 'uri' | 'dbName'>,
  options: Omit<OpenOptions<Extended>, 'uri'> = {},
): Promise<AutoVolt<Extended>> {
  const { uri, dbName } = database
  const volt = await AutoVolt.open<Extended>({ keys: keyRing('first'), ...options, uri, dbName })
  cleanUpLater(() => volt.close())
  return volt
}
