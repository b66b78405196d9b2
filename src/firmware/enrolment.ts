import type { Device } from '../devices/device.js'
import type { FirmwareParts } from './firmware-parts.js'
import type { Rollout } from './rollout.js'
import { shareOf } from './rollout-input.js'
import { precedes } from './semantic-version.js'

const devicesAtOnce = 500
const pagesAtOnce = 20

type Known = Pick<Device, '_id' | 'firmwareVersion'> & { readonly hardware?: { readonly boardType?: string } }

/** Takes devices into a roll-out, in the order of their ids, some thousands a step; goes on where another process has stopped. */
export async function enrol(parts: FirmwareParts, rollout: Rollout, signal: AbortSignal): Promise<void> {
  const { deviceDocuments, installs, rollouts } = parts
  const allowed = new Set(rollout.allowed.map((id) => id.toHexString()))
  const ofSites = rollout.classrooms === undefined ? {} : { classroom: { $in: rollout.classrooms } }
  const projection = { firmwareVersion: 1, 'hardware.boardType': 1 }
  let last = rollout.enrolledTo
  for (let page = 0; page < pagesAtOnce && !signal.aborted; page += 1) {
    const after = last === undefined ? {} : { _id: { $gt: last } }
    const found = await deviceDocuments
      .for('enrol')
      .find<Known>({ ...after, ...ofSites, deletedAt: null }, { sort: { _id: 1 }, limit: devicesAtOnce, projection })
    const writes = found
      .filter((device) => isFor(rollout, device))
      .map(({ _id: device, firmwareVersion: fromVersion }) => {
        const among = shareOf(rollout._id, device)
        // Those that are allowed from the start are below 0.
        const share = allowed.has(device.toHexString()) ? among / 100 - 1 : among
        const row = {
          status: 'pending',
          share,
          offers: 0,
          sentBytes: 0,
          rollBacks: 0,
          ...(fromVersion === undefined ? {} : { fromVersion }),
        }
        return { update: { rollout: rollout._id, device }, by: { $setOnInsert: row }, upsert: true } as const
      })
    await installs.for('enrol').bulkWrite(writes, { isUnordered: true })
    last = found.at(-1)?._id ?? last
    const isWhole = found.length < devicesAtOnce
    const set = { enrolled: isWhole, ...(last === undefined ? {} : { enrolledTo: last }) }
    await rollouts.for('enrol').updateOne({ _id: rollout._id }, { $set: set })
    if (isWhole) return
  }
}

/** A device of another board is not for it, nor one that runs a newer version. Where the board is not known, the device itself decides. */
function isFor({ board, version }: Rollout, { firmwareVersion, hardware }: Known): boolean {
  const isOtherBoard = hardware?.boardType !== undefined && hardware.boardType !== board
  return !isOtherBoard && !(firmwareVersion !== undefined && precedes(version, firmwareVersion))
}
