import { AutoVolt, type Transport } from '@autovolt/data'

const { uri, dbName } = JSON.parse(process.argv[2] ?? '') as { readonly uri: string; readonly dbName: string }
const volt = await AutoVolt.open({ uri, dbName })

/** A road of no length: what is measured is the queue. */
const nowhere: Transport = {
  name: 'nowhere',
  protocols: ['mqtt'],
  isReachable: () => true,
  answerWithinMs: () => 60_000,
  pauseMs: () => 0,
  send: async () => ({ kind: 'succeeded' }),
}
process.send?.('ready')
process.once('message', () => {
  volt.commands.start({ transports: [nowhere], batch: 200, leaseMs: 60_000 })
})
