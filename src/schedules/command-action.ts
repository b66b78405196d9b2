import type { CommandRequest } from '../commands/command-bulk.js'
import type { Commands } from '../commands/commands.js'
import { where } from '../core/repository/conditions.js'
import type { Device } from '../devices/device.js'
import type { DeviceRepository } from '../devices/device-repository.js'
import { relaysOf } from '../devices/device-state.js'
import type { DueAction, ScheduleAction } from './schedule-action.js'

/** What due actions need of other domains to become commands. */
export interface CommandActionNeeds {
  readonly devices: Pick<DeviceRepository, 'find' | 'allInService'>
  readonly commands: Pick<Commands, 'enqueueMany'>
}

const atOnce = 1_000

/**
 * Puts due actions into the queue of commands: one for each relay. A command's idempotency key follows from the run and the relay,
 * so an action that comes again adds none.
 */
export function commandAction({ devices, commands }: CommandActionNeeds): ScheduleAction {
  return async (actions) => {
    const devicesOf = await readDevices(devices, actions)
    // In the order of the actions: of a switch the command that is queued last counts.
    const requests = actions.flatMap((action) =>
      requestsOf(action, devicesOf.get(action.target.id.toHexString()) ?? []),
    )
    for (let at = 0; at < requests.length; at += atOnce) await commands.enqueueMany(requests.slice(at, at + atOnce))
  }
}

/** The devices that actions are about, by the ids of their targets; of an action with a switch none is needed. */
async function readDevices(
  devices: CommandActionNeeds['devices'],
  actions: readonly DueAction[],
): Promise<Map<string, readonly Device[]>> {
  const found = new Map<string, readonly Device[]>()
  const idsOf = (kind: DueAction['target']['kind']) =>
    actions.flatMap(({ target }) => (target.kind === kind ? [target.id] : []))
  const ids = idsOf('device')
  for (const device of ids.length === 0 ? [] : await devices.find({ _id: where.in(ids) }, { limit: atOnce }))
    found.set(device._id.toHexString(), [device])
  for (const id of idsOf('classroom')) {
    if (!found.has(id.toHexString())) found.set(id.toHexString(), await devices.allInService(id))
  }
  return found
}

function requestsOf(action: DueAction, devices: readonly Device[]): CommandRequest[] {
  const { key, owner, target, device, command, parameters } = action
  const requester = { source: 'schedule', ...(owner !== undefined && { user: owner }) }
  const request = { command, parameters, requester, correlationId: key }
  if (target.kind === 'switch')
    return device === undefined ? [] : [{ ...request, device, switch: target.id, idempotencyKey: key }]
  if (command === 'turn_on' || command === 'turn_off')
    return devices.flatMap((one) =>
      relaysOf(one).map(({ _id }) => ({
        ...request,
        device: one._id,
        switch: _id,
        idempotencyKey: `${key} ${_id.toHexString()}`,
      })),
    )
  const able = target.kind === 'device' ? devices : devices.filter((one) => isAbleTo(one, action))
  return able.map(({ _id }) => ({ ...request, device: _id, idempotencyKey: key }))
}

/** Of the devices in a classroom a command other than `turn_on` and `turn_off` is for those that have it. */
function isAbleTo({ capabilities }: Device, { command, parameters }: DueAction): boolean {
  if (capabilities.some(({ name, type }) => name === command && type === 'action')) return true
  const names = Object.keys(parameters)
  return names.length > 0 && names.every((name) => capabilities.some((one) => one.name === name && one.writable))
}
