import { type AutoVolt, type Device, type DeviceSwitch, where } from '@autovolt/data'
import { isDeployed } from '../registration.js'
import { roomNames } from '../simulator/school-plan.js'

/** A reading says something about now for this long. */
const freshMs = 60_000

/** The devices with their switches, room by room. */
export async function readDevices(volt: AutoVolt) {
  const rooms = await volt.classrooms.find({ name: where.in(roomNames) }, { limit: 1000, select: ['name'] })
  const nameOf = new Map(rooms.map(({ _id, name }) => [_id.toHexString(), name]))
  const inRooms = { classroom: where.in(rooms.map(({ _id }) => _id)) }
  const devices = await volt.devices.find(inRooms, { limit: 200 })
  const views = await Promise.all(
    devices.map(async (device) => ({
      ...toView(device),
      room: nameOf.get(String(device.classroom)) ?? '',
      switches: await Promise.all(device.switches.map((one) => switchView(volt, one))),
    })),
  )
  return views.toSorted((a, b) => a.room.localeCompare(b.room) || a.name.localeCompare(b.name))
}

function toView(device: Device) {
  return {
    id: device._id.toHexString(),
    name: device.name,
    type: device.type,
    macAddress: device.macAddress,
    protocol: isDeployed(device) ? 'deployed' : 'v2',
    firmware: device.firmwareVersion ?? null,
    status: device.status ?? null,
    lastSeenAt: device.lastSeenAt ?? null,
    startedAt: device.boot?.startedAt ?? null,
  }
}

async function switchView(volt: AutoVolt, one: DeviceSwitch) {
  return {
    id: one._id.toHexString(),
    name: one.name,
    gpio: one.gpio,
    type: one.type ?? null,
    powerRating: one.powerRating,
    energySource: one.energySource,
    state: one.state ?? null,
    stateAt: one.stateAt ?? null,
    powerW: one.energySource === 'rated' ? null : await lastPower(volt, one),
  }
}

/** W; what a meter read last, null if that was long ago. */
async function lastPower(volt: AutoVolt, { _id }: DeviceSwitch): Promise<number | null> {
  const filter = { switchId: _id, eventType: 'power_reading' as const }
  const last = await volt.ledger.findOne(filter, { sort: { timestamp: -1 }, select: ['timestamp', 'reading'] })
  if (last === null || Date.now() - last.timestamp.getTime() > freshMs) return null
  return last.reading?.powerW ?? null
}
