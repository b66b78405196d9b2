export type {
  CommandEvidence,
  CommandPriority,
  CommandReason,
  CommandStatus,
  DeviceCommand,
  Requester,
} from './command.js'
export type { ClassroomOptions, CommandRequest, DeviceReport } from './command-bulk.js'
export type { CommandOptions } from './command-request.js'
export type { CommandStatistics, StatisticsQuestion } from './command-statistics.js'
export type { CommandTimeoutError, KnownOfCommand } from './command-timeout-error.js'
export type { CommandWorkerOptions } from './command-worker-options.js'
export type { Commands, ExecuteOptions } from './commands.js'
export type { SendPermit, SendResult, Transport } from './transport.js'
