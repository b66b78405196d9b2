import type { AutoVolt, Device, ScheduleInput } from '@autovolt/data'
import type { DevicePlan } from './simulator/plan.js'
import { rooms, type SchoolPlan, timeZone } from './simulator/school-plan.js'
import { setTariffs, timeOfUse } from './tariffs.js'

/** Where the sun rises and sets on the school. */
const place = { latitude: 18.52, longitude: 73.86 }

/** Registers what an installer would: the tariffs, the rooms, and the devices with their switches. Does no harm twice. */
export async function registerSchool(volt: AutoVolt, school: SchoolPlan): Promise<void> {
  await setTariffs(volt)
  for (const room of rooms) {
    const { _id: classroom } = await volt.classrooms.upsert(
      { name: room.name },
      { ...room, timeZone, tariff: timeOfUse },
    )
    await volt.siteCalendars.upsert({ classroom }, { classroom, place })
  }
  for (const plan of school.devices) await registerDevice(volt, plan)
  await schedule(volt, 'Room 101', {
    name: 'Evening',
    rule: { type: 'time', at: '18:30' },
    action: { command: 'turn_off' },
  })
  await schedule(volt, 'Library', {
    name: 'Dusk',
    rule: { type: 'sun', event: 'sunset' },
    action: { command: 'turn_on' },
  })
}

async function schedule(volt: AutoVolt, room: string, what: Omit<ScheduleInput, 'target'>): Promise<void> {
  const classroom = await volt.classrooms.findOne({ name: room })
  if (classroom === null || (await volt.schedules.exists({ name: what.name }))) return
  await volt.schedules.create({ ...what, target: { kind: 'classroom', id: classroom._id } })
}

/** Registers a device, or gives one that is there its present secret. */
export async function registerDevice(volt: AutoVolt, plan: DevicePlan): Promise<void> {
  const { name, macAddress, secret, reportingPeriodMs } = plan
  const what = { type: typeOf(plan), hardware: { boardType: plan.protocol === 'v2' ? v2Board : 'esp32dev' } }
  const known = await volt.devices.findByMacAddress(macAddress)
  if (known !== null) {
    await volt.devices.update(known._id, { secret, ...what })
    return
  }
  const room = await volt.classrooms.findOne({ name: plan.room })
  if (room === null) throw new Error(`There is no room ${plan.room}`)
  await volt.devices.create({
    name,
    ...what,
    macAddress,
    secret,
    classroom: room._id,
    reportingPeriodMs,
    firmwareVersion: plan.protocol === 'v2' ? plan.firmware : deployedFirmware,
    switches: plan.switches.map(({ load: _, ...one }) => one),
  })
}

/** The board of the devices of version 2; the deployed ones are on another, and get no firmware of theirs. */
export const v2Board = 'autovolt-v2'
const deployedFirmware = 'WARP stable'

/** What kind of device it is: one without relays only measures. */
function typeOf({ switches }: DevicePlan): string {
  if (switches.some(({ type }) => type !== 'meter')) return 'esp32'
  return switches.some(({ load }) => load === 'solar') ? 'solar_inverter' : 'smart_meter'
}

/** Whether a device has the deployed firmware; else it speaks version 2. */
export function isDeployed({ firmwareVersion }: Device): boolean {
  return firmwareVersion === undefined || firmwareVersion === deployedFirmware
}
