import type { Database } from '../core/database.js'
import type { DeviceRepository } from '../devices/device-repository.js'
import { commandEntity } from './command.js'
import { Commands } from './commands.js'

export type CommandsCollection = 'deviceCommands'

export const commandsEntities = { deviceCommands: commandEntity } satisfies Record<CommandsCollection, object>

/** What commands bring to the handle. */
export interface CommandsServices {
  /** Commands to devices: what was asked for, by whom, and what became of it. */
  readonly commands: Commands
}

/** What commands need of other domains. */
export interface CommandsNeeds {
  readonly devices: DeviceRepository
}

export function openCommands(
  database: Database,
  entities: typeof commandsEntities,
  { devices }: CommandsNeeds,
): CommandsServices {
  return { commands: new Commands(database, entities.deviceCommands, devices) }
}
