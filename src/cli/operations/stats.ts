import { parseArgs } from 'node:util'
import type { AutoVolt } from '../../autovolt.js'
import { printable } from '../../core/printable.js'
import { ifAllowed, type Unavailable } from '../../operations/admin.js'
import { type CommandContext, exitCode } from '../command.js'
import { withHandle } from '../connection.js'
import { inMb } from './in-mb.js'

export function runStats(args: readonly string[], context: CommandContext): Promise<number> {
  return withHandle(args, context, {}, async (volt, rest) => {
    const { values } = parseArgs({ args: [...rest], options: { json: { type: 'boolean' } } })
    const { operations } = volt
    const report = {
      server: await ifAllowed(() => operations.server()),
      replicaSet: await ifAllowed(() => operations.replicaSet()),
      sizes: await operations.sizes(),
    }
    const text = values.json ? JSON.stringify(report, null, 2) : textOf(report)
    context.out.write(`${printable(text)}\n`)
    return exitCode.done
  })
}

type Operations = AutoVolt['operations']

interface Report {
  readonly server: Awaited<ReturnType<Operations['server']>> | Unavailable
  readonly replicaSet: Awaited<ReturnType<Operations['replicaSet']>> | Unavailable
  readonly sizes: Awaited<ReturnType<Operations['sizes']>>
}

function textOf({ server, replicaSet, sizes }: Report): string {
  const serverLines =
    'unavailable' in server
      ? [`server: ${server.unavailable}`]
      : [
          `MongoDB ${server.version}, up for ${Math.round(server.upSeconds / 3600)} h, ${server.memory.residentMb} MB resident, cache ${inMb(server.cache.usedBytes)} of ${inMb(server.cache.maximumBytes)}`,
          `connections: ${server.connections.current} in use, ${server.connections.available} available`,
        ]
  const memberLines =
    'unavailable' in replicaSet
      ? [`members: ${replicaSet.unavailable}`]
      : replicaSet.members.map(
          ({ host, state, lagSeconds }) => `${host} ${state}${lagSeconds === null ? '' : `, ${lagSeconds} s behind`}`,
        )
  const total = `${inMb(sizes.storageBytes)} on disk, indexes ${inMb(sizes.indexBytes)}`
  const growth = sizes.growthSince === null ? '' : `; growth since ${sizes.growthSince.toISOString().slice(0, 10)}`
  const rows = sizes.collections.map(
    (one) =>
      `${one.name.padEnd(28)} ${String(one.documents).padStart(12)} ${inMb(one.storageBytes).padStart(12)} ${inMb(one.indexBytes).padStart(12)} ${one.growth === null ? '' : `+${one.growth.documents}`}`,
  )
  const head = `${'collection'.padEnd(28)} ${'documents'.padStart(12)} ${'data'.padStart(12)} ${'indexes'.padStart(12)}`
  return [...serverLines, ...memberLines, `${total}${growth}`, '', head, ...rows].join('\n')
}
