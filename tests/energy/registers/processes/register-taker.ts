import { AutoVolt } from '../../../../src/autovolt.js'
import { keyRing } from '../../../support/builders.js'
import { onParentMessage, tellParent } from '../../../support/parent.js'

const uri = process.env.MONGODB_URI ?? ''
const dbName = process.env.DB_NAME ?? ''
const volt = await AutoVolt.open({ uri, dbName, keys: keyRing('first') })
let isStopped = false

/** Takes registers one time after the other until it is told to stop. */
onParentMessage('take', async () => {
  isStopped = false
  let entries = 0
  try {
    while (!isStopped) {
      entries += (await volt.registers.update()).entries
      if (entries > 0) tellParent({ type: 'taken' })
    }
    tellParent({ type: 'done', entries })
  } catch (error) {
    tellParent({ type: 'done', error: String(error) })
  }
})
onParentMessage('stop', () => {
  isStopped = true
})
tellParent({ type: 'ready' })
