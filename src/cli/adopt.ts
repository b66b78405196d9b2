import { readFile } from 'node:fs/promises'
import { parse } from 'node:path'
import { parseArgs } from 'node:util'
import { DatabaseError } from '../core/errors.js'
import { printable } from '../core/printable.js'
import type { AdoptionMapping } from '../migrations/adoption/mapping/mapping.js'
import type { AdoptionOptions, AdoptionProgress, FollowStep } from '../migrations/adoption/options.js'
import { linesOf } from './adoption-lines.js'
import { type Command, type CommandContext, exitCode } from './command.js'
import { connectionHelp, withHandle } from './connection.js'

const options = {
  from: { type: 'string', default: '' },
  sqlite: { type: 'string' },
  area: { type: 'string' },
  'time-zone': { type: 'string', default: '' },
  currency: { type: 'string' },
  site: { type: 'string' },
  mapping: { type: 'string' },
  'print-mapping': { type: 'boolean' },
  yes: { type: 'boolean' },
  follow: { type: 'boolean' },
  remove: { type: 'boolean' },
  json: { type: 'boolean' },
} as const

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values']

export const adoptCommand: Command = {
  name: 'adopt',
  summary: 'adopts the database of one of the origin systems; without --yes it only says what it would do',
  help: `Usage: autovolt adopt (--from DB | --sqlite FILE) --time-zone ZONE [--yes | --follow | --remove] [options]

Adopts the database of one of the origin systems, AutoVolt, Maestro, Jupiter or SolChain: users, rooms, devices, prices,
settings, switch logs as entries of the ledger, readings and telemetry. What the old application has is only read, and it can
go on meanwhile. Without --yes nothing is written: it says what fits, what does not and why, and how long it will take.

The command may be broken off and run again: it goes on, and takes what has come and changed since. What was changed here
stays as it is.

  --from DB           the database of the origin system, on the same server
  --sqlite FILE       a file of SQLite, as SolChain writes it, instead of a database on the server. --from is what it is
                      called here then, the same each time                    [the name of FILE, without its ending]
  --time-zone ZONE    the IANA zone that the rooms are in, such as Asia/Kolkata
  --currency CODE     the ISO 4217 code of its prices                                                  [INR]
  --site NAME         the room of what has none                                                 [unassigned]
  --area NAME         the market area that its trades are in, as history                                    [DB]
  --beside            DB is the database of the handle itself: our collections get names beside the origin's, which the
                      service has to open its handle with too: collections: collectionsBesideOrigin
  --print-mapping     prints what becomes of what as JSON, and does nothing else
  --mapping FILE      what becomes of what, where it is not as in the public versions: the JSON of --print-mapping, edited
  --yes               adopts
  --follow            adopts, and keeps both in step until it is stopped with Ctrl-C (SIGINT), for the time up to the cut-over
  --remove            removes what the adoption of DB has written, if nothing else was written since; needs --yes
  --json              prints the report as JSON, with every reason
${connectionHelp}
Exit code: 0 done, 1 documents were left, or would be, that somebody has to see to, 2 it could not be done.
`,
  run: async (args, context) => {
    const isBeside = args.includes('--beside')
    const rest = args.filter((arg) => arg !== '--beside')
    const { collectionsBesideOrigin } = await import('../migrations/adoption/beside-origin.js')
    const handleOptions = isBeside ? { collections: collectionsBesideOrigin } : {}
    const code = await withHandle(rest, context, handleOptions, async ({ migrations }, own) => {
      const { values } = parseArgs({ args: [...own], options })
      const given = await adoptionOptionsOf(values, context)
      const print = (value: unknown, lines: readonly string[]) => {
        const text = values.json ? JSON.stringify(value, null, 2) : lines.join('\n')
        context.out.write(`${printable(text)}\n`)
      }
      if (values['print-mapping']) {
        const { mapping } = await migrations.assessAdoption(given)
        context.out.write(`${JSON.stringify(mapping, null, 2)}\n`)
        return exitCode.done
      }
      if (values.remove) {
        if (!values.yes) throw new DatabaseError('CONFIGURATION', '--remove drops our collections. Next: say --yes too')
        const dropped = await migrations.removeAdoption(given.from)
        print({ dropped }, [`Dropped ${dropped.join(', ')}`])
        return exitCode.done
      }
      const { signal } = context
      const onStep = ({ changes, devices }: FollowStep) => {
        const at = new Date().toISOString()
        if (!values.json) context.errors.write(`${at} in step: ${changes} changes taken, of ${devices} devices\n`)
      }
      const running = values.follow
        ? migrations.followAdoption({ ...given, signal, onStep })
        : values.yes
          ? migrations.adopt({ ...given, signal })
          : migrations.assessAdoption({ ...given, signal })
      const report = await running.catch((error: unknown) => {
        throw withKeysHint(error)
      })
      print(report, linesOf(report))
      return report.collections.some(({ left }) => left > 0) ? exitCode.wrong : exitCode.done
    })
    if (context.signal.aborted && code === exitCode.notDone)
      context.errors.write('What is done stays. Next: run the same again to go on\n')
    return code
  },
}

function withKeysHint(error: unknown): unknown {
  if (!(error instanceof DatabaseError) || error.code !== 'KEY_RING') return error
  const next = 'name the key ring with --keys FILE or AUTOVOLT_KEYS, and run the same again'
  return new DatabaseError('KEY_RING', `${error.message}. Next: ${next}`, { cause: error })
}

async function adoptionOptionsOf(values: Values, { errors }: CommandContext): Promise<AdoptionOptions> {
  const { 'time-zone': timeZone = '', sqlite, currency, site, area, mapping } = values
  const from = values.from || (sqlite === undefined ? '' : nameOf(sqlite))
  if (from === '') {
    throw new DatabaseError('CONFIGURATION', 'Name what is to be adopted: --from DB, or a file with --sqlite FILE')
  }
  if (timeZone === '' && !values.remove) {
    throw new DatabaseError('CONFIGURATION', 'Name the zone that its rooms are in: --time-zone Asia/Kolkata')
  }
  const onProgress = ({ collection, done }: AdoptionProgress) => {
    if (!values.json) errors.write(`${printable(collection)}: ${done} read\n`)
  }
  return {
    from,
    timeZone,
    ...(sqlite === undefined ? {} : { sqlite }),
    ...(currency === undefined ? {} : { currency }),
    ...(site === undefined ? {} : { site }),
    ...(area === undefined ? {} : { area }),
    ...(mapping === undefined ? {} : { mapping: await mappingIn(mapping) }),
    onProgress,
  }
}

/** What a file is called here. */
function nameOf(file: string): string {
  return parse(file)
    .name.replace(/[^A-Za-z0-9_-]/g, '_')
    .slice(0, 63)
}

async function mappingIn(file: string): Promise<AdoptionMapping> {
  const text = await readFile(file, 'utf8')
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new DatabaseError('CONFIGURATION', `${file} is no JSON. Next: begin with the output of --print-mapping`, {
      cause,
    })
  }
}
