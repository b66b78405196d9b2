// Reads the preferences of a user, as many times at once as it is asked to.
import { AutoVolt } from '@autovolt/data'
import { onParentMessage, tellParent } from '../../../support/parent.js'

const { MONGODB_URI = '', DB_NAME = '' } = process.env
const volt = await AutoVolt.open({ uri: MONGODB_URI, dbName: DB_NAME })
await volt.health()

onParentMessage('read', async ({ user, times }) => {
  const reads = Array.from({ length: Number(times) }, () => volt.userPreferences.forUser(String(user)))
  const outcomes = (await Promise.allSettled(reads)).map((one) =>
    one.status === 'fulfilled' ? one.value._id.toHexString() : String(one.reason),
  )
  tellParent({ type: 'done', outcomes })
})
tellParent({ type: 'ready' })
