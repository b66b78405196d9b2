import type { AutoVolt, DeviceSwitch } from '@autovolt/data'

/** The devices with their switches, room by room. */
export async function readDevices(volt: AutoVolt) {
  const rooms = await volt.classrooms.find({}, { limit: 1000, select: ['name'] })
  const roomNames = new Map(rooms.map(({ _id, name }) => [_id.toHexString(), name]))
  const devices = await volt.devices.find({}, { limit: 200 })
  return devices
    .map((device) => ({
      id: device._id.toHexString(),
      name: device.name,
      room: roomNames.get(device.classroom.toHexString()) ?? '',
      roomId: device.classroom.toHexString(),
      macAddress: device.macAddress,
      firmware: device.firmwareVersion ?? null,
      status: device.status ?? null,
      lastSeenAt: device.lastSeenAt ?? null,
      startedAt: device.boot?.startedAt ?? null,
      switches: device.switches.map(toView),
    }))
    .toSorted((a, b) => a.room.localeCompare(b.room) || a.name.localeCompare(b.name))
}

function toView(one: DeviceSwitch) {
  return {
    id: one._id.toHexString(),
    name: one.name,
    gpio: one.gpio,
    type: one.type ?? null,
    powerRating: one.powerRating,
    energySource: one.energySource,
    state: one.state ?? null,
    stateAt: one.stateAt ?? null,
  }
}
