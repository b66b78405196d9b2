import type { Collection, Document } from 'mongodb'
import { afterId, afterValue } from '../../backfill/id-order.js'

/** The index by which records are read device by device, in the order of time. */
export const byDevice = { deviceId: 1, startTime: -1, _id: -1 } as const
/** Against the index's own direction of time: the oldest first. */
const oldestFirst = { startTime: 1, _id: 1 } as const

/** Up to which record a reader has come. */
export interface LegacyPlace {
  readonly deviceId: unknown
  readonly startTime: Date
  readonly id: unknown
}

/** The next records of one device; those without a time are in none. Null after the last device. */
export async function nextRecords(
  collection: Collection,
  after: LegacyPlace | undefined,
  limit: number,
): Promise<readonly Document[] | null> {
  let device = after === undefined ? await deviceAfter(collection, undefined) : { deviceId: after.deviceId }
  let place = after
  while (device !== undefined) {
    const { deviceId } = device
    const found = await collection
      .find(
        { deviceId, startTime: { $type: 'date' }, ...laterThan(place) },
        { sort: oldestFirst, limit, hint: byDevice },
      )
      .toArray()
    if (found.length > 0) return found
    device = await deviceAfter(collection, device)
    place = undefined
  }
  return null
}

/** The ids of all devices that there are records of, in order. */
export async function* devicesOf(collection: Collection): AsyncGenerator<unknown, void, undefined> {
  for (
    let next = await deviceAfter(collection, undefined);
    next !== undefined;
    next = await deviceAfter(collection, next)
  )
    yield next.deviceId
}

function laterThan(place: LegacyPlace | undefined): Document {
  if (place === undefined) return {}
  const { startTime, id } = place
  return { $or: [{ startTime: { $gt: startTime } }, { startTime, ...afterId(id) }] }
}

async function deviceAfter(
  collection: Collection,
  before: { readonly deviceId: unknown } | undefined,
): Promise<{ readonly deviceId: unknown } | undefined> {
  const filter = before === undefined ? {} : afterValue('deviceId', before.deviceId ?? null)
  const [found] = await collection
    .find(filter, { sort: { deviceId: 1 }, projection: { _id: 0, deviceId: 1 }, limit: 1, hint: byDevice })
    .toArray()
  return found === undefined ? undefined : { deviceId: found.deviceId ?? null }
}
