import { AutoVolt } from '@autovolt/data'
import { startReplicaSet } from '@autovolt/data/testing'
import type { Group } from '../harness.js'
import { benchAccess } from './access.js'
import { benchEnumeration } from './enumeration.js'
import { benchSessions } from './sessions.js'
import { benchSignIns } from './sign-ins.js'
import { benchUsers } from './users.js'

/** The figures of people: letting many in at once, telling strangers nothing, finding users and sessions, what each may see. */
export const people: Group = async (context) => {
  await using replicaSet = await startReplicaSet()
  await using volt = await AutoVolt.open({ uri: replicaSet.uri, dbName: 'bench' })
  await volt.setup()
  return [
    ...(await benchSignIns(volt, context)),
    ...(await benchEnumeration(volt, context)),
    ...(await benchUsers(volt, context)),
    ...(await benchSessions(volt, context)),
    ...(await benchAccess(volt, context)),
  ]
}
