import { adoptCommand } from './adopt.js'
import { backupCommands } from './backup/commands.js'
import type { Command } from './command.js'
import { createMigrationCommand } from './create-migration.js'
import { ledgerVerifyCommand } from './ledger-verify.js'
import { migrateCommands } from './migrate.js'
import { operationsCommands } from './operations/commands.js'
import { setupCommand } from './setup.js'

/**
 * All commands. What needs a database they import when they are run: `ledger verify` is for machines that have none of the
 * packages for one.
 */
export const commands: readonly Command[] = [
  setupCommand,
  ...migrateCommands,
  createMigrationCommand,
  adoptCommand,
  ...backupCommands,
  ...operationsCommands,
  ledgerVerifyCommand,
]
