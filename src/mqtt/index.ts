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
export {
  type Ingestion,
  type IngestionHandle,
  type IngestionOptions,
  type IngestionStatus,
  startIngestion,
} from './ingestion.js'
export { type MeteredTopic, meteredDecoder } from './metered-decoder.js'
export type { ReplayFilter, ReplayResult } from './quarantine-replay.js'
export { type V2Options, v2Decoder } from './v2-decoder.js'
