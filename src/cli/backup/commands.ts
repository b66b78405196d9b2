import type { Command } from '../command.js'
import { backupHelp, backupsHelp, restoreHelp, verifyBackupHelp } from './help.js'

/** The commands about backups. What they need is imported when they are run. */
export const backupCommands: readonly Command[] = [
  {
    name: 'backup',
    summary: 'backs up a database, verifies the backup, and removes old ones',
    help: backupHelp,
    run: async (args, context) => (await import('./backup.js')).runBackup(args, context),
  },
  {
    name: 'restore',
    summary: 'restores a backup, into a new database or in place',
    help: restoreHelp,
    run: async (args, context) => (await import('./restore.js')).runRestore(args, context),
  },
  {
    name: 'backups',
    summary: 'lists backups, and removes those that need not be kept',
    help: backupsHelp,
    run: async (args, context) => (await import('./backups.js')).runBackups(args, context),
  },
  {
    name: 'verify-backup',
    summary: 'verifies a backup without a database',
    help: verifyBackupHelp,
    run: async (args, context) => (await import('./verify-backup.js')).runVerifyBackup(args, context),
  },
]
