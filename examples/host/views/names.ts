import type { AutoVolt } from '@autovolt/data'

export interface SwitchNames {
  readonly switch: string
  readonly device: string
  readonly room: string
}

export interface Names {
  readonly bySwitch: ReadonlyMap<string, SwitchNames>
  readonly deviceByMac: ReadonlyMap<string, string>
  /** Of devices and rooms. */
  readonly byId: ReadonlyMap<string, string>
}

/** What people call the switches, those of removed devices too: the ledger speaks of them for ever. */
export async function readNames(volt: AutoVolt): Promise<Names> {
  const rooms = new Map<string, string>()
  for await (const { _id, name } of volt.classrooms.stream({}, { withDeleted: true, select: ['name'] })) {
    rooms.set(_id.toHexString(), name)
  }
  const bySwitch = new Map<string, SwitchNames>()
  const deviceByMac = new Map<string, string>()
  const byId = new Map(rooms)
  for await (const device of volt.devices.stream({}, { withDeleted: true })) {
    const room = rooms.get(String(device.classroom)) ?? 'a room that is gone'
    byId.set(device._id.toHexString(), device.name)
    if (device.macAddress !== undefined) deviceByMac.set(device.macAddress, device.name)
    for (const one of device.switches)
      bySwitch.set(one._id.toHexString(), { switch: one.name, device: device.name, room })
  }
  return { bySwitch, deviceByMac, byId }
}

/** The names of a switch; where there are none its id has to do. */
export function namesOf({ bySwitch }: Names, switchId: string): SwitchNames {
  return bySwitch.get(switchId) ?? { switch: switchId, device: 'a device that is gone', room: '' }
}
