// A worker that keeps the roll-ups, to be killed.
import { AutoVolt } from '@autovolt/data'
import { tellParent } from '../../support/parent.js'

const { MONGODB_URI: uri = '', DB_NAME: dbName = '' } = process.env
const volt = await AutoVolt.open({ uri, dbName })
tellParent({ type: 'started' })
for (;;) {
  const { entries } = await volt.rollUps.update()
  tellParent({ type: 'updated', entries })
  await new Promise((resolve) => setTimeout(resolve, 5))
}
