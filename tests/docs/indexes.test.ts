import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { Entity, IndexDefinition } from '../../src/core/entity.js'
import { chosenEntities } from '../../src/entities.js'

const page = readFileSync(new URL('../../docs/indexes.md', import.meta.url), 'utf8')
const entities: readonly Entity[] = Object.values(chosenEntities({}))

const fieldsOf = (key: Readonly<Record<string, unknown>>) =>
  `\`${Object.entries(key)
    .map(([field, direction]) => (direction === -1 ? `${field} ↓` : field))
    .join(', ')}\``

function rowOf({ key, unique, partialFilterExpression, expireAfterSeconds, serves }: IndexDefinition): string {
  const index = [
    fieldsOf(key),
    ...(unique ? ['unique'] : []),
    ...(partialFilterExpression ? [`of those with ${fieldsOf(partialFilterExpression)}`] : []),
    ...(expireAfterSeconds === undefined ? [] : [`expires after ${expireAfterSeconds} s`]),
  ]
  return `| ${index.join(', ')} | ${serves} |`
}

function sectionOf({ shardKey, indexes }: Entity): string[] {
  return [
    ...(shardKey ? [`Shard key: ${fieldsOf(shardKey)}.`] : []),
    ...(indexes.length === 0 ? ['Is read and written by `_id` alone.'] : ['| index | serves |', ...indexes.map(rowOf)]),
  ]
}

it('the page of indexes has those of every collection, with what they serve', () => {
  const [, ...sections] = page.split(/^## /m)
  const written = sections.map((section) => {
    const [heading, ...lines] = section.split('\n').map((line) => line.replaceAll(/ +/g, ' ').trim())
    return [heading, ...lines.filter((line) => line !== '' && !/^[|\s-]+$/.test(line))]
  })
  expect(written).toEqual(entities.map((entity) => [`\`${entity.collection}\``, ...sectionOf(entity)]))
})
