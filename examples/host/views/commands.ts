import type { AutoVolt, DeviceCommand } from '@autovolt/data'
import { type Names, namesOf, readNames } from './names.js'

const shownCommands = 40

/** The last commands to all devices, whatever has become of them. */
export async function readCommands(volt: AutoVolt) {
  const commands = await volt.commands.find({}, { sort: { _id: -1 }, limit: shownCommands })
  const names = await readNames(volt)
  return commands.map((command) => commandView(command, names))
}

export function commandView(command: DeviceCommand, names: Names) {
  const { _id, device, switchId, status, reason, detail, requester, latencyMs, attempts } = command
  const id = switchId?.toHexString() ?? ''
  return {
    id: _id.toHexString(),
    at: command.createdAt,
    deviceId: device.toHexString(),
    switchId: id,
    names: namesOf(names, id),
    command: command.command,
    status,
    reason: reason ?? null,
    detail: detail ?? null,
    by: requester?.name ?? null,
    source: requester?.source ?? null,
    evidence: command.answer?.evidence ?? null,
    latencyMs: latencyMs ?? null,
    attempts,
  }
}
