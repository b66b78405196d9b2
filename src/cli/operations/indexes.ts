import { parseArgs } from 'node:util'
import type { AutoVolt } from '../../autovolt.js'
import { DatabaseError } from '../../core/errors.js'
import { printable } from '../../core/printable.js'
import type { IndexAdvice, IndexAdviceReport } from '../../operations/indexes/advice.js'
import { type CommandContext, exitCode } from '../command.js'
import { withHandle } from '../connection.js'
import { inMb } from './in-mb.js'

const changes = ['hide', 'unhide', 'drop'] as const

export function runIndexes(args: readonly string[], context: CommandContext): Promise<number> {
  return withHandle(args, context, {}, async (volt, rest) => {
    const { values, positionals } = parseArgs({
      args: [...rest],
      allowPositionals: true,
      options: {
        hide: { type: 'boolean', default: false },
        unhide: { type: 'boolean', default: false },
        drop: { type: 'boolean', default: false },
        days: { type: 'string' },
        json: { type: 'boolean' },
      },
    })
    const chosen = changes.filter((name) => values[name])
    const write = (result: unknown, lines: readonly string[]) =>
      context.out.write(`${printable(values.json ? JSON.stringify(result, null, 2) : lines.join('\n'))}\n`)
    if (chosen.length > 0 || positionals.length > 0) {
      const done = await change(volt, chosen, positionals)
      write(done, [done.message])
      return exitCode.done
    }
    const report = await volt.operations.indexAdvice(
      values.days === undefined ? {} : { minimumDays: Number(values.days) },
    )
    write(report, linesOf(report))
    return report.advice.length === 0 ? exitCode.done : exitCode.wrong
  })
}

async function change(
  { operations }: AutoVolt,
  chosen: readonly (typeof changes)[number][],
  [collection, index, ...more]: readonly string[],
): Promise<{ readonly message: string; readonly undo?: string }> {
  if (chosen.length !== 1 || collection === undefined || index === undefined || more.length > 0)
    throw new DatabaseError('CONFIGURATION', 'Say one of --hide, --unhide and --drop, with a collection and an index')
  switch (chosen[0]) {
    case 'hide':
      await operations.hideIndex(collection, index)
      return { message: `${index} is hidden. Undo: autovolt indexes --unhide ${collection} ${index}` }
    case 'unhide':
      await operations.unhideIndex(collection, index)
      return { message: `${index} is used again` }
    default: {
      const { key, ...options } = await operations.dropIndex(collection, index)
      const undo = `db.${collection}.createIndex(${JSON.stringify(key)}, ${JSON.stringify(options)})`
      return { message: `${index} is dropped. Undo: ${undo}`, undo }
    }
  }
}

function linesOf({ advice, hitRate, unreached }: IndexAdviceReport): string[] {
  return [
    ...(advice.length === 0 ? ['No advice'] : advice.map(lineOf)),
    ...(hitRate === null
      ? []
      : [
          `An index served ${hitRate.servedByIndex} of ${hitRate.calls} recorded calls (${Math.round(hitRate.share * 100)} %)`,
        ]),
    ...(unreached.length === 0 ? [] : [`Not reached: ${unreached.join(', ')}; without them nothing is called unused`]),
  ]
}

function lineOf(advice: IndexAdvice): string {
  switch (advice.kind) {
    case 'missing': {
      const { collection, key, query } = advice
      return `missing    ${collection} ${JSON.stringify(key)}: ${query.shape} examined ${query.documentsExamined} for ${query.returned}, ${query.count} times`
    }
    case 'too_large':
      return `too large  indexes of ${inMb(advice.indexBytes)} in a cache of ${inMb(advice.cacheBytes)}: ${advice.largest.map(({ collection, index }) => `${collection}.${index}`).join(', ')}`
    case 'redundant':
      return `redundant  ${aboutOf(advice)}: ${advice.coveredBy} begins with its fields`
    case 'unused':
      return `unused     ${aboutOf(advice)}: not once in ${Math.floor(advice.daysSeen)} days`
    case 'hidden':
      return `hidden     ${aboutOf(advice)}: for ${Math.floor(advice.daysSeen)} days; drop it if nothing has missed it`
  }
}

function aboutOf({ collection, index, sizeBytes, declaredFor }: Extract<IndexAdvice, { index: string }>): string {
  const declared = declaredFor === null ? '' : `, the library's, for ${declaredFor}`
  return `${collection} ${index} (${inMb(sizeBytes)}${declared})`
}
