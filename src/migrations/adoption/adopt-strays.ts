import type { Document } from 'mongodb'
import type { AdoptedDevice, AdoptionContext } from './context.js'
import { isId } from './map/values.js'

const notThere = 'of a device that is not there'
const wrongType = 'an id or a time of the wrong type'

/** Reports what is of no device that is adopted. */
export async function leaveStrays(devices: readonly AdoptedDevice[], context: AdoptionContext): Promise<void> {
  const names = devices.flatMap((device) => device.names)
  const byId = ({ deviceId }: Document) => (isId(deviceId) ? notThere : wrongType)
  for (const collection of [
    'activitylogs',
    'switchstatelogs',
    'powerreadings',
    'energyconsumptions',
    'dailyconsumptions',
    'monthlyconsumptions',
  ])
    await leaveAll(context, collection, { deviceId: { $nin: names } }, byId)
  await leaveAll(context, 'telemetry_events', { device_id: { $nin: names } }, () => notThere)
  await leaveAll(context, 'device_consumption_ledger', { device_id: { $nin: names } }, () => 'names no device')
  for (const collection of ['daily_aggregates', 'monthly_aggregates']) {
    const reasonOf = ({ device_id }: Document) =>
      typeof device_id === 'string' ? notThere : 'a sum of several devices'
    await leaveAll(context, collection, { device_id: { $nin: names } }, reasonOf)
  }
}

/** Reports rows of SolChain that are of no device that is adopted. */
export async function leaveSolchainStrays(devices: readonly AdoptedDevice[], context: AdoptionContext): Promise<void> {
  const { userOf } = context.registry
  const known = devices.map(({ document }) => document.device_id)
  const reasonOf = ({ user_id }: Document) => (userOf(user_id) !== undefined ? notThere : 'of a user that is not there')
  await leaveAll(context, 'energy_data', { device_id: { $nin: known } }, reasonOf)
}

async function leaveAll(
  context: AdoptionContext,
  collection: string,
  filter: Document,
  reasonOf: (document: Document) => string,
): Promise<void> {
  for await (const document of context.read(collection, filter, { _id: 1 })) {
    context.leave(collection, document, reasonOf(document))
    await context.store?.flush()
  }
}
