import { parseArgs } from 'node:util'
import type { AutoVolt } from '../../autovolt.js'
import { DatabaseError } from '../../core/errors.js'
import { printable } from '../../core/printable.js'
import type { RecordedQuery } from '../../operations/profiler/recorded-queries.js'
import { type CommandContext, exitCode } from '../command.js'
import { withHandle } from '../connection.js'

const options = {
  for: { type: 'string' },
  over: { type: 'string' },
  limit: { type: 'string' },
  now: { type: 'boolean', default: false },
  kill: { type: 'string' },
  json: { type: 'boolean' },
} as const

export function runSlow(args: readonly string[], context: CommandContext): Promise<number> {
  return withHandle(args, context, {}, async (volt, rest) => {
    const { values } = parseArgs({ args: [...rest], options })
    const write = (result: unknown, lines: readonly string[]) => {
      const text = values.json ? JSON.stringify(result, null, 2) : lines.join('\n')
      context.out.write(`${printable(text)}\n`)
    }
    if (values.kill !== undefined) {
      await volt.operations.kill(/^\d+$/.test(values.kill) ? Number(values.kill) : values.kill)
      write({ killed: values.kill }, [`${values.kill} was ended`])
    } else if (values.now) {
      const running = await volt.operations.running(ofNumber('over', values.over, 'longerThanMs'))
      const lines = running.map(
        ({ id, collection, shape, runningMs, planSummary }) =>
          `${id}  ${Math.round(runningMs)} ms  ${collection}: ${shape}${planSummary === null ? '' : `  [${planSummary}]`}`,
      )
      write(running, lines.length === 0 ? ['Nothing runs for so long'] : lines)
    } else {
      const found = await recorded(volt, values, context.signal)
      write(found, found.length === 0 ? ['Nothing was slow'] : found.map(lineOf))
    }
    return exitCode.done
  })
}

function recorded(
  { operations }: AutoVolt,
  values: { readonly [Name in 'for' | 'over' | 'limit']?: string | undefined },
  signal: AbortSignal,
): Promise<RecordedQuery[]> {
  const limit = ofNumber('limit', values.limit, 'limit')
  const { seconds = 60 } = ofNumber('for', values.for, 'seconds')
  if (seconds === 0) return operations.recordedQueries(limit)
  return operations.slowQueries({
    ...limit,
    ...ofNumber('over', values.over, 'overMs'),
    forMs: Math.round(seconds * 1000),
    signal,
  })
}

function ofNumber<Name extends string>(
  option: string,
  text: string | undefined,
  name: Name,
): { readonly [Key in Name]?: number } {
  if (text === undefined) return {}
  const number = Number(text)
  if (text.trim() === '' || !Number.isFinite(number) || number < 0)
    throw new DatabaseError('CONFIGURATION', `--${option} has to be a number that is not negative`)
  return { [name]: number } as { readonly [Key in Name]?: number }
}

function lineOf(query: RecordedQuery): string {
  const { collection, shape, count, meanMs, maximumMs, planSummary, documentsExamined, returned } = query
  const sorted = query.isSortedInMemory ? ', sorted in memory' : ''
  const plan =
    planSummary === null ? '' : `  [${planSummary}${sorted}; ${documentsExamined} examined, ${returned} returned]`
  return `${count} times, ${meanMs} ms, at most ${maximumMs} ms  ${collection}: ${shape}${plan}`
}
