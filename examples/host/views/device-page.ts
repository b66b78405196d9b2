import { type AutoVolt, where } from '@autovolt/data'
import type { Visitor } from '../visitors.js'
import { commandView } from './commands.js'
import { readNames } from './names.js'
import { scheduleView } from './schedules.js'

const shown = 12
const dayMs = 86_400_000

/**
 * One device: what it is, what was switched, what it was commanded, when it is to be, what it runs and what happened to it.
 * @throws NotFoundError for a device that the visitor may not see.
 */
export async function readDevicePage(volt: AutoVolt, visitor: Visitor, id: string) {
  const device = await visitor.volt.devices.get(id)
  const { _id, switches, classroom } = device
  const names = await readNames(volt)
  const newest = { sort: { _id: -1 }, limit: shown } as const
  const commands = await volt.commands.find({ device: _id }, { sort: { createdAt: -1, _id: -1 }, limit: shown })
  const history = await volt.ledger.find(
    { deviceId: _id, eventType: where.in(['switch_on', 'switch_off'] as const) },
    { sort: { timestamp: -1 }, limit: shown },
  )
  const targets = [_id, ...switches.map((one) => one._id), ...(classroom === undefined ? [] : [classroom])]
  const schedules = await visitor.volt.schedules.find({ 'target.id': where.in(targets) }, { limit: 50 })
  const installs = await visitor.volt.firmwareInstalls.find({ device: _id }, newest)
  const log = await visitor.volt.deviceLogs.find({ device: _id }, { sort: { at: -1, _id: -1 }, limit: shown })
  return {
    id: _id.toHexString(),
    name: device.name,
    type: device.type,
    board: device.hardware?.boardType ?? null,
    firmware: device.firmwareVersion ?? null,
    macAddress: device.macAddress ?? null,
    status: device.status,
    isOnline: volt.devices.isOnline(device),
    lastSeenAt: device.lastSeenAt ?? null,
    ratedPowerW: volt.devices.getTotalPowerConsumption(device),
    telemetry: device.telemetry ?? null,
    commands: commands.map((command) => commandView(command, names)),
    statistics: await volt.commands.statistics({ device: _id, from: new Date(Date.now() - dayMs) }),
    history: history.map(({ _id: entry, timestamp, powerState, switchId, sequence }) => ({
      id: entry.toHexString(),
      at: timestamp,
      on: powerState,
      name: switches.find((one) => one._id.equals(switchId))?.name ?? 'a switch that is gone',
      sequence,
    })),
    schedules: schedules.map((schedule) => scheduleView(schedule, names, [])),
    installs: installs.map(({ _id: install, status, reason, sentBytes, createdAt }) => ({
      id: install.toHexString(),
      at: createdAt,
      status,
      reason: reason ?? null,
      sentBytes,
    })),
    log: log.map(({ _id: entry, at, kind, level, message, details }) => ({
      id: entry.toHexString(),
      at,
      kind,
      level,
      message: message ?? textOf(details),
    })),
  }
}

function textOf(details: Readonly<Record<string, unknown>> = {}): string {
  return Object.entries(details)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ')
}
