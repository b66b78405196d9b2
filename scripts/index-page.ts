import { readFileSync } from 'node:fs'
import type { Entity } from '../src/core/entity.js'
import type { IndexDefinition } from '../src/core/index-definition.js'
import { chosenEntities } from '../src/domains.js'

/** The page of indexes. */
export const indexPageFile = new URL('../docs/indexes.md', import.meta.url)

/** The text of the page: its introduction as it stands there, and a section for each collection, made of the entities. */
export function indexPage(): string {
  const [introduction = ''] = readFileSync(indexPageFile, 'utf8').split(/^## /m)
  return introduction + Object.values<Entity>(chosenEntities({})).map(sectionOf).join('\n')
}

function sectionOf({ collection, shardKey, indexes }: Entity): string {
  const key = shardKey === undefined ? [] : [`Shard key: ${fieldsOf(shardKey)}.`, '']
  const rows = indexes.map((index) => [describe(index), index.serves] as const)
  const table = indexes.length === 0 ? ['Is read and written by `_id` alone.'] : tableOf([['index', 'serves'], ...rows])
  return [`## \`${collection}\``, '', ...key, ...table, ''].join('\n')
}

function describe({ key, name, unique, partialFilterExpression, expireAfterSeconds }: IndexDefinition): string {
  return [
    fieldsOf(key),
    ...(name === undefined ? [] : [`named \`${name}\``]),
    ...(unique ? ['unique'] : []),
    ...partOf(partialFilterExpression ?? {}),
    ...(expireAfterSeconds === undefined ? [] : [`expires after ${expireAfterSeconds} s`]),
  ].join(', ')
}

/** Which documents a partial index holds. */
function partOf({ deletedAt, ...present }: Readonly<Record<string, unknown>>): string[] {
  return [
    ...(Object.keys(present).length === 0 ? [] : [`of those with ${fieldsOf(present)}`]),
    ...(deletedAt === undefined ? [] : ['of those that are not deleted']),
  ]
}

function fieldsOf(key: Readonly<Record<string, unknown>>): string {
  const fields = Object.entries(key).map(([field, direction]) => (direction === -1 ? `${field} ↓` : field))
  return `\`${fields.join(', ')}\``
}

function tableOf([head, ...rows]: readonly (readonly [string, string])[]): string[] {
  const all = [head ?? ['', ''], ...rows] as const
  const widths = [0, 1].map((column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`
  return [line(head ?? []), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)]
}
