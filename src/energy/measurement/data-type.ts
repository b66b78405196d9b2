import type { EnergyRole } from '../../devices/device.js'
import type { EnergyMeasurement } from './measurement.js'

/** Whether a device's measurement is of consumption or of production. A storage, or a meter at the grid, gives while its power is negative. */
export function dataTypeOf(role: EnergyRole, power: number | undefined): EnergyMeasurement['data_type'] {
  return role === 'production' || (power !== undefined && power < 0) ? 'production' : 'consumption'
}
