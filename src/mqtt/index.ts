export type { QuarantineReason } from '../ingestion/quarantine.js'
export type { QuarantineLimits } from '../ingestion/quarantine-store.js'
export type {
  Credential,
  Decoder,
  Decoding,
  DeviceReport,
  DeviceTime,
  HeartbeatReport,
  ReadingReport,
  ReportedDevice,
  SnapshotReport,
  StatusReport,
  SwitchReport,
} from '../ingestion/report.js'
export { type DeployedOptions, deployedDecoder } from './deployed-decoder.js'
export type { Fault } from './faults.js'
export { type Ingestion, startIngestion } from './ingestion.js'
export type { IngestionHandle, IngestionOptions } from './ingestion-options.js'
export type { IngestionStatus, SessionState } from './ingestion-status.js'
export { type MeteredTopic, meteredDecoder } from './metered-decoder.js'
export type { ReplayFilter, ReplayResult } from './quarantine-replay.js'
export { type V2Options, v2Decoder } from './v2-decoder.js'
