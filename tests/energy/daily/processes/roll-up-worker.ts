// A worker that is always at work on the roll-ups, to be killed.
import { AutoVolt } from '@autovolt/data'
import { keyRing } from '../../../support/builders.js'
import { tellParent } from '../../../support/parent.js'

const { MONGODB_URI: uri = '', DB_NAME: dbName = '', FROM: from = '', TO: to = '' } = process.env
const volt = await AutoVolt.open({ uri, dbName, keys: keyRing('first') })
tellParent({ type: 'ready' })
for (let turn = 0; ; turn += 1) {
  const { entries } = await volt.rollUps.update()
  if (turn % 3 === 1) await volt.rollUps.recost()
  if (turn % 7 === 5) await volt.rollUps.rebuild({ from, to })
  tellParent({ type: 'turn', entries })
  await new Promise((resolve) => setTimeout(resolve, 5))
}
