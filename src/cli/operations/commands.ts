import type { Command } from '../command.js'
import { doctorHelp, indexesHelp, rolesHelp, slowHelp, statsHelp } from './help.js'

/** The commands about how a database is doing. What they need is imported when they are run. */
export const operationsCommands: readonly Command[] = [
  {
    name: 'doctor',
    summary: 'says what is wrong with a database, and what to do',
    help: doctorHelp,
    run: async (args, context) => (await import('./doctor.js')).runDoctor(args, context),
  },
  {
    name: 'stats',
    summary: 'shows server, members, sizes and growth',
    help: statsHelp,
    run: async (args, context) => (await import('./stats.js')).runStats(args, context),
  },
  {
    name: 'slow',
    summary: 'shows what is slow, without values',
    help: slowHelp,
    run: async (args, context) => (await import('./slow.js')).runSlow(args, context),
  },
  {
    name: 'indexes',
    summary: 'advises on indexes, and hides, shows or drops one',
    help: indexesHelp,
    run: async (args, context) => (await import('./indexes.js')).runIndexes(args, context),
  },
  {
    name: 'roles',
    summary: 'creates roles of MongoDB that may do what they need and no more, and users with them',
    help: rolesHelp,
    run: async (args, context) => (await import('./roles.js')).runRoles(args, context),
  },
]
