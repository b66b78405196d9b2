// Erases a person until that is done, or it is killed.
import { AutoVolt } from '../../src/autovolt.js'
import { keyRing } from '../support/builders.js'
import { tellParent } from '../support/parent.js'

const { MONGODB_URI: uri = '', MONGODB_DB_NAME: dbName = '', PERSON = '' } = process.env
const volt = await AutoVolt.open({ uri, dbName, keys: keyRing('first') })
for (;;) {
  try {
    const { state } = await volt.privacy.erase(PERSON, { reason: 'a request' })
    tellParent({ type: state })
    break
  } catch (error) {
    const { code } = error as { readonly code?: string }
    if (code === 'NOT_FOUND') break
    if (code !== 'LEASE_LOST') throw error
  }
}
await volt.close()
