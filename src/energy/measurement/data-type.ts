import type { EnergyRole } from '../../devices/device.js'
import type { EnergyMeasurement } from './measurement.js'

/** Whether a device's measurement is of consumption or of production. A storage is charged while its power is positive. */
export function dataTypeOf(role: EnergyRole, power: number | undefined): EnergyMeasurement['data_type'] {
  if (role !== 'storage') return role
  return power !== undefined && power < 0 ? 'production' : 'consumption'
}
