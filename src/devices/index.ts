export type {
  Capability,
  Device,
  DeviceEntity,
  DeviceInput,
  DeviceStatus,
  DeviceSwitch,
  EnergyRole,
  EnergySource,
  LedgerRecording,
} from './device.js'
export type { DevicePresence } from './device-presence.js'
export type { DeviceRepository, FindByClassroomOptions } from './device-repository.js'
export type { DeviceSearch, DeviceSearchPage, FoundDevices } from './device-search.js'
export type { SilenceSweepOptions, SilentDevice } from './silence-sweep.js'
