import type { AutoVolt, Device } from '@autovolt/data'
import type { DevicePlan } from './simulator/plan.js'
import { rooms, type SchoolPlan, timeZone } from './simulator/school-plan.js'
import { setTariffs, timeOfUse } from './tariffs.js'

/** Registers what an installer would: the tariffs, the rooms, and the devices with their switches. Does no harm twice. */
export async function registerSchool(volt: AutoVolt, school: SchoolPlan): Promise<void> {
  await setTariffs(volt)
  for (const room of rooms) await volt.classrooms.upsert({ name: room.name }, { ...room, timeZone, tariff: timeOfUse })
  for (const plan of school.devices) await registerDevice(volt, plan)
}

/** Registers a device, or gives one that is there its present secret. */
export async function registerDevice(volt: AutoVolt, plan: DevicePlan): Promise<void> {
  const { name, macAddress, secret, reportingPeriodMs } = plan
  const known = await volt.devices.findByMacAddress(macAddress)
  if (known !== null) {
    await volt.devices.update(known._id, { secret })
    return
  }
  const room = await volt.classrooms.findOne({ name: plan.room })
  if (room === null) throw new Error(`There is no room ${plan.room}`)
  await volt.devices.create({
    name,
    macAddress,
    secret,
    classroom: room._id,
    reportingPeriodMs,
    firmwareVersion: plan.protocol === 'v2' ? plan.firmware : deployedFirmware,
    switches: plan.switches.map(({ load: _, ...one }) => one),
  })
}

const deployedFirmware = 'WARP stable'

/** Whether a device has the deployed firmware; else it speaks version 2. */
export function isDeployed({ firmwareVersion }: Device): boolean {
  return firmwareVersion === undefined || firmwareVersion === deployedFirmware
}
