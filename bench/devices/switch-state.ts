import type { AutoVolt } from '@autovolt/data'
import { alternate, type GroupContext, type Row, ratioRow, secondsOf } from '../harness.js'
import { idOf } from './fleet.js'

const calls = 2_000

/** Setting the known state of a switch beside the plain driver's findOneAndUpdate of the same field. */
export async function benchSwitchState(volt: AutoVolt, { documents, rounds, say }: GroupContext): Promise<Row[]> {
  say('devices: the state of a switch')
  const collection = volt.database.native.collection('devices')
  const n = (call: number) => (call * 7919) % documents
  const ours = async () => {
    for (let call = 0; call < calls; call += 1) {
      await volt.devices.setSwitchState(idOf('device', n(call)), idOf('switch', 2 * n(call)), call % 2 === 0)
    }
  }
  const plain = async () => {
    for (let call = 0; call < calls; call += 1) {
      const at = new Date()
      await collection.findOneAndUpdate(
        { _id: idOf('device', n(call)), 'switches._id': idOf('switch', 2 * n(call)) },
        { $set: { 'switches.$.state': call % 2 === 0, 'switches.$.stateAt': at, updatedAt: at }, $inc: { __v: 1 } },
        { returnDocument: 'after' },
      )
    }
  }
  const measured = await alternate(
    rounds,
    async () => calls / (await secondsOf(ours)),
    async () => calls / (await secondsOf(plain)),
  )
  return [ratioRow('devices.set-switch-state', 'calls/s', measured, { atLeast: 0.8 })]
}
