import { AutoVolt } from '../../../../src/autovolt.js'
import { keyRing } from '../../../support/builders.js'
import { onParentMessage, tellParent } from '../../../support/parent.js'

const uri = process.env.MONGODB_URI ?? ''
const dbName = process.env.DB_NAME ?? ''
const volt = await AutoVolt.open({ uri, dbName, keys: keyRing('first') })

onParentMessage('derive', async ({ from, to }) => {
  try {
    tellParent({ type: 'done', result: await volt.intervals.derive({ from: String(from), to: String(to) }) })
  } catch (error) {
    tellParent({ type: 'done', error: String(error) })
  }
})
tellParent({ type: 'ready' })
