import { DatabaseError } from '../../core/errors.js'
import type { RepairAs } from '../commands/repair.js'
import type { CommandCall, MigrationCommand } from './command.js'
import { listLines, noteLines, planLines, problemLines, statusLines } from './show.js'
import { given, numberOf, textOf } from './values.js'

const to = { to: { type: 'string' } } as const

const migrate: MigrationCommand = {
  summary: 'runs the migrations that are not applied yet',
  usage: '[--to ID]',
  help: `Runs what is not applied yet, in order, and goes on with what was broken off. One process at a time runs migrations:
another one waits for its end.

  --to ID             up to this migration, which is run too`,
  options: to,
  run: async ({ migrations, values, locked }) => {
    const report = await migrations.migrate({ ...locked, ...given('to', textOf(values, 'to')) })
    const adopted = report.adopted.map((id) => `known from an earlier tool: ${id}`)
    const notes = noteLines(report.applied.length === 0 ? [] : (await migrations.status()).migrations, report.applied)
    const applied = listLines(report.applied, 'applied', 'Nothing was to be run')
    return { result: report, lines: [...adopted, ...applied, ...notes] }
  },
}

const rollback: MigrationCommand = {
  summary: 'rolls back the last migrations; needs --yes',
  usage: '[--steps N | --to ID] --yes',
  help: `Rolls back the last migration, or several, the last one first. If one of them has no \`down\`, none is rolled back.
Without --yes it only says which these are.

  --steps N           how many                                                                  [1]
  --to ID             down to this migration, which stays
  --yes               what the migrations have written may be lost`,
  options: { ...to, steps: { type: 'string' }, yes: { type: 'boolean' } },
  run: async ({ migrations, values, locked }) => {
    const which = { ...given('steps', numberOf(values, 'steps')), ...given('to', textOf(values, 'to')) }
    if (values.yes !== true) {
      const planned = await migrations.planRollback(which)
      const lines = [
        ...listLines(planned, 'would roll back', 'Nothing would be rolled back'),
        'Nothing was changed: say --yes',
      ]
      return { result: { wouldRollBack: planned }, lines, isWrong: planned.length > 0 }
    }
    const rolledBack = await migrations.rollback({ ...locked, ...which })
    return { result: { rolledBack }, lines: listLines(rolledBack, 'rolled back', 'Nothing was to be rolled back') }
  },
}

const status: MigrationCommand = {
  summary: 'shows how all migrations stand, and who runs them now',
  usage: '',
  help: 'Shows how all migrations stand, and who runs them now. It writes nothing. Exit code 1 if something is wrong.',
  options: {},
  run: async ({ migrations }) => {
    const found = await migrations.status()
    const isWrong = found.migrations.some(({ problem }) => problem !== undefined)
    return { result: found, lines: statusLines(found), isWrong }
  },
}

const plan: MigrationCommand = {
  summary: 'shows what `migrate` would do, with counts of documents; writes nothing',
  usage: '[--to ID]',
  help: `Shows what would be run, how many documents it would change, and which indexes it would build. It writes nothing.

  --to ID             up to this migration`,
  options: to,
  run: async ({ migrations, values }) => {
    const planned = await migrations.plan(given('to', textOf(values, 'to')))
    return { result: planned, lines: planLines(planned) }
  },
}

const validate: MigrationCommand = {
  summary: 'looks for edited, missing, late, failed and interrupted migrations',
  usage: '',
  help: 'Says what is wrong with migrations, and what to do about each. It writes nothing. Exit code 1 if something is wrong.',
  options: {},
  run: async ({ migrations }) => {
    const problems = await migrations.validate()
    const lines = problems.length === 0 ? ['Nothing is wrong'] : problemLines(problems)
    return { result: problems, lines, isWrong: problems.length > 0 }
  },
}

const decisions: readonly RepairAs[] = ['applied', 'not-applied', 'retry']

const repair: MigrationCommand = {
  summary: 'writes down how a failed, edited or deleted migration really stands',
  usage: 'ID --applied | --not-applied | --retry',
  help: `Writes down how a migration stands, after you have looked at the data. It changes the log alone.

  --applied           all of it is done, as its file says now
  --not-applied       nothing of it is there; it will be run
  --retry             the step that failed was undone, or can be done again`,
  options: Object.fromEntries(decisions.map((name) => [name, { type: 'boolean' as const }])),
  words: 1,
  run: async ({ migrations, values, words: [id = ''], locked }) => {
    const [decided, ...more] = decisions.filter((name) => values[name] === true)
    if (decided === undefined || more.length > 0) {
      throw new DatabaseError('CONFIGURATION', 'Say how it stands: one of --applied, --not-applied and --retry')
    }
    await migrations.repair(id, decided, locked)
    return { result: { id, decided }, lines: [`${id} is written down as: ${decided}`] }
  },
}

const baseline: MigrationCommand = {
  summary: 'writes down migrations as applied without running them',
  usage: 'ID',
  help: `Writes down as applied, without running them, all migrations up to ID that have no record yet: for a database that was
brought to that state in another way.`,
  options: {},
  words: 1,
  run: async ({ migrations, words: [id = ''], locked }) => {
    const written = await migrations.baseline(id, locked)
    return {
      result: { applied: written },
      lines: listLines(written, 'written down as applied:', 'Nothing was missing'),
    }
  },
}

const unlock: MigrationCommand = {
  summary: 'takes the lock from a process that has died',
  usage: '',
  help: `Takes the lock from a process that has died without giving it up. From one that lives it takes nothing: the lock is free
once its holder has not renewed it for 30 s, and then the next run takes it without this command, too.`,
  options: {},
  run: async ({ migrations }) => {
    const isTaken = await migrations.unlock()
    return { result: { unlocked: isTaken }, lines: [isTaken ? 'The lock is free' : 'Nobody had the lock'] }
  },
}

const history: MigrationCommand = {
  summary: 'shows what was done with migrations, the newest first',
  usage: '[--limit N]',
  help: `Shows what was done with migrations: when, by whom, on which machine, with which version of the package.

  --limit N           how many, at most 1,000                                                  [100]`,
  options: { limit: { type: 'string' } },
  run: async ({ migrations, values }) => {
    const events = await migrations.history(numberOf(values, 'limit'))
    const lines = events.map(({ at, name, action, outcome, durationMs, run, message }) => {
      const how = `${Math.round(durationMs)} ms, ${run.actor} on ${run.host}, version ${run.packageVersion}`
      return `${at.toISOString()} ${action} ${name} ${outcome} (${how})${message === undefined ? '' : ` ${message}`}`
    })
    return { result: events, lines: lines.length === 0 ? ['Nothing was done yet'] : lines }
  },
}

const seed: MigrationCommand = {
  summary: 'stores sample data in an empty database',
  usage: '[--not-empty]',
  help: `Stores the sample data of the package and the host's. Doing so again changes nothing, and nothing is ever emptied.

  --not-empty         adds it to a database that has documents already`,
  options: { 'not-empty': { type: 'boolean' } },
  run: async ({ migrations, values, locked }: CommandCall) => {
    const seeds = await migrations.seed({ ...locked, intoExisting: values['not-empty'] === true })
    return { result: { seeds }, lines: listLines(seeds, 'stored', 'There is no sample data') }
  },
}

/** The commands about migrations, by name. */
export const migrationCommands = {
  migrate,
  rollback,
  status,
  plan,
  validate,
  repair,
  baseline,
  unlock,
  history,
  seed,
} satisfies Record<string, MigrationCommand>

export type MigrationCommandName = keyof typeof migrationCommands
