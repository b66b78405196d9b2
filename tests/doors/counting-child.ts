// Calls every public function with what is large, and prints where the work grows faster than the input, or an error is raw.
import { AutoVolt } from '../../src/autovolt.js'
import { slice } from '../support/extent.js'
import { argumentsOf, callSafely, takesArguments } from './arguments.js'
import { spoilt } from './hostile-values.js'
import { type LargeKind, largeKinds } from './large-values.js'
import { outcomeOf } from './outcome.js'
import { exportedFunctions, handleFunctions, type PublicFunction } from './public-functions.js'
import { WorkCounter } from './work-counter.js'

const [uri = '', dbName = '', extent = ''] = process.argv.slice(2)
/** Of the whole size. What grows with the square is found with the small ones: with a megabyte it would not end. */
const parts = extent === 'whole' ? [1 / 100, 1 / 20, 1] : [1 / 100, 1 / 20]
/** Times the input may be as many times the work, and as much again for logarithms and what is done once. */
const allowed = 2
/** For each function: less than this is not looked at. */
const floor = 100_000

const volt = await AutoVolt.open({ uri, dbName, keys: { active: 'a', keys: { a: Buffer.alloc(32, 'a') } } })
const counter = new WorkCounter()
await counter.start()
const found = new Set<string>()
const functions = distinct([...exportedFunctions(), ...handleFunctions(volt)].filter(takesArguments))
for (const [turn, group] of groupsOf(functions).entries()) {
  for (const kind of slice(largeKinds, 2, turn)) {
    // The square of one is more than all the others of its group; which one it is, each says alone.
    if (await grows(group, kind))
      for (const one of group) if (await grows([one], kind)) found.add(`${one.name}, ${kind.name}`)
  }
}
await volt.close()
process.stdout.write(`${JSON.stringify({ functions: functions.length, found: [...found] })}\n`)
process.exit(0)

/** Whether the work grows faster than the input. */
async function grows(group: readonly PublicFunction[], kind: LargeKind): Promise<boolean> {
  let before = { part: 0, count: 0 }
  for (const part of parts) {
    const value = kind.make(Math.ceil(kind.size * part))
    const count = await counter.countOf(async () => {
      for (const one of group) await callAll(one, value, kind)
    })
    const least = Math.max(before.count, floor * group.length)
    if (before.part > 0 && count > least * (part / before.part) * allowed) {
      process.stderr.write(
        `${group.map(({ name }) => name).join(' ')}, ${kind.name}: ${before.count} becomes ${count}\n`,
      )
      return true
    }
    before = { part, count }
  }
  return false
}

async function callAll(one: PublicFunction, value: unknown, kind: LargeKind): Promise<void> {
  for (const args of spoilt(argumentsOf(one), [value])) {
    const error = await outcomeOf(() => callSafely(one, args))
    if (error !== undefined) found.add(`${one.name}, ${kind.name}: ${String(error).slice(0, 200)}`)
  }
}

/** What several repositories inherit is looked at once. */
function distinct(all: readonly PublicFunction[]): PublicFunction[] {
  return [...new Map(all.map((one) => [one.identity, one])).values()]
}

/** By what they belong to: `volt.devices`, `root`. */
function groupsOf(all: readonly PublicFunction[]): PublicFunction[][] {
  const groups = new Map<string, PublicFunction[]>()
  for (const one of all) {
    const owner = one.name.slice(0, one.name.lastIndexOf('.'))
    groups.set(owner, [...(groups.get(owner) ?? []), one])
  }
  return [...groups.values()]
}
