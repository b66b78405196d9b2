import { AutoVolt } from '@autovolt/data'
import { startReplicaSet } from '@autovolt/data/testing'
import type { Group } from '../harness.js'
import { benchCommandWorkers } from './command-workers.js'
import { fillDevices } from './fleet.js'
import { benchQueries } from './queries.js'
import { benchRoundTrip } from './round-trip.js'
import { benchSwitchState } from './switch-state.js'

const keys = { active: 'bench', keys: { bench: Buffer.alloc(32, 9) } }

/** The figures of devices and commands: finding devices in a large fleet, the queue, and the way to a device and back. */
export const devices: Group = async (context) => {
  await using replicaSet = await startReplicaSet()
  await using volt = await AutoVolt.open({ uri: replicaSet.uri, dbName: 'bench', keys })
  await volt.setup()
  await fillDevices(volt, context)
  return [
    ...(await benchQueries(volt, context)),
    ...(await benchSwitchState(volt, context)),
    ...(await benchCommandWorkers(volt, replicaSet.uri, context)),
    ...(await benchRoundTrip(volt, context)),
  ]
}
