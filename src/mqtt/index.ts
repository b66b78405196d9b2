/**
 * Ingestion from an MQTT broker, and decoders. Needs the package mqtt.
 *
 * @module @autovolt/data/mqtt
 */
export type { Budget } from '../ingestion/budget.js'
export type { Note } from '../ingestion/note.js'
export type { QuarantineReason } from '../ingestion/quarantine.js'
export type { ReplayFilter, ReplayResult } from '../ingestion/quarantine-replay.js'
export type { QuarantineLimits } from '../ingestion/quarantine-space.js'
export type {
  Credential,
  Decoder,
  Decoding,
  DeviceReport,
  DeviceTime,
  GivenReport,
  HeartbeatReport,
  InstallFailureReport,
  ReadingReport,
  Relay,
  ReportedDevice,
  SnapshotReport,
  StatusReport,
  SwitchReport,
  Unusable,
} from '../ingestion/report.js'
export { type DeployedOptions, deployedDecoder } from './deployed-decoder.js'
export type { Fault } from './faults.js'
export { type DeviceSecrets, type FirmwareOfferOptions, offerFirmwareBy, type Publisher } from './firmware-offers.js'
export { type Ingestion, startIngestion } from './ingestion.js'
export type { IngestionHandle, IngestionOptions } from './ingestion-options.js'
export type { IngestionStatus, SessionState } from './ingestion-status.js'
export { type MeteredTopic, meteredDecoder } from './metered-decoder.js'
export {
  connectTransport,
  type MqttTransport,
  type MqttTransportOptions,
  type TransportHandle,
} from './transport/mqtt-transport.js'
export { type V2Options, v2Decoder } from './v2-decoder.js'
