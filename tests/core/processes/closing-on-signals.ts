import { AutoVolt } from '../../../src/autovolt.js'
import { tellParent } from '../../support/parent.js'

const [mode = ''] = process.argv.slice(2)
const options = { uri: process.env.MONGODB_URI ?? '', dbName: 'signals' }
const closeOnSignals = mode !== 'not-asked'

const volts = [await AutoVolt.open({ ...options, closeOnSignals })]
if (mode === 'two-handles') volts.push(await AutoVolt.open({ ...options, closeOnSignals }))
if (mode === 'own-listener') process.on('SIGTERM', () => setTimeout(() => process.exit(7), 300))
if (mode === 'closed-before') await volts[0]?.close()
for (const [handle, volt] of volts.entries()) volt.on('disconnected', () => tellParent({ type: 'closed', handle }))

const listeners = process.listenerCount('SIGTERM') + process.listenerCount('SIGINT')
// Nothing else keeps the process from ending once the handles are closed.
setTimeout(() => undefined, 60_000)
tellParent({ type: 'ready', listeners })
