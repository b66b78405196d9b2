import { createHmac } from 'node:crypto'
import type { Document } from 'mongodb'
import { z } from 'zod'
import type { Database } from '../core/database.js'
import type { Entity } from '../core/entity.js'
import { DatabaseError } from '../core/errors.js'
import { coreSchema, itemSchema, schemaAtAnyItem } from '../core/field-schema.js'
import { validateData } from '../core/validate.js'
import { personalFieldsOf } from './subject-plan.js'

const path = () => z.string().min(1).max(200)
const units = ['week', 'month', 'quarter', 'year'] as const

const questionSchema = z.strictObject({
  /** The collection, by its real name. */
  collection: z.string().min(1).max(255),
  /** The path that names the person, one of the entity's `subjects`; not through a list. */
  person: path(),
  /** Fields to group by: none that is personal, and no date. */
  by: z.array(path()).max(20).default([]),
  /** Dates to group by, each cut to a `week`, `month`, `quarter` or `year` of UTC. */
  dates: z.record(path(), z.enum(units)).default({}),
  /** Numbers to sum up. */
  sums: z.array(path()).max(20).default([]),
  /** How many people a group has at least; smaller ones are left out. @default 5 */
  k: z.int().min(2).max(1_000_000).default(5),
  /** At least 32 bytes: what pseudonyms are computed with. Rows of one key can be joined; without the key nobody can tell who it is. */
  key: z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length >= 32, {
    error: 'expected at least 32 bytes',
  }),
})

/** Pseudonymous question: which figures are computed for each person, and how people are grouped. */
export type PseudonymousQuestion = z.input<typeof questionSchema>
type Question = z.output<typeof questionSchema>

/** Pseudonymous row: what the documents of a person in a group come to. */
export interface PseudonymousRow {
  /** HMAC-SHA-256 of the id, 32 hexadecimal digits of it: the same in all rows of one key. */
  readonly person: string
  /** What the group has in common, by path; null where the documents have nothing there. Dates are the beginning of their unit. */
  readonly group: Readonly<Record<string, unknown>>
  /** How many documents there are. */
  readonly documents: number
  /** The sums, by path. */
  readonly sums: Readonly<Record<string, number>>
}

const pseudonymLength = 32

/**
 * @throws ValidationError; DatabaseError `CONFIGURATION` for a collection of no entity, a person's path that was not declared, and for
 * fields that are personal, lists, or dates that are not cut.
 */
export async function* pseudonymousRows(
  database: Database,
  entities: readonly Entity[],
  question: PseudonymousQuestion,
): AsyncGenerator<PseudonymousRow, void, undefined> {
  const asked = validateData(questionSchema, question, 'The question')
  const entity = entities.find(({ collection }) => collection === asked.collection)
  if (entity === undefined) throw refused(`there is no entity in the collection ${asked.collection}`)
  requirePaths(entity, asked)
  const documents = database.of(entity, { isOutside: true }).for('pseudonymous')
  const groups = [...asked.by, ...Object.keys(asked.dates)]
  for await (const row of documents.streamAggregate<Document>(pipelineOf(asked, groups), { allowDiskUse: true })) {
    const { _id, documents: count } = row
    yield {
      person: createHmac('sha256', asked.key).update(String(_id.person)).digest('hex').slice(0, pseudonymLength),
      group: Object.fromEntries(groups.map((name, at) => [name, _id[`g${at}`] ?? null])),
      documents: count,
      sums: Object.fromEntries(asked.sums.map((name, at) => [name, row[`s${at}`]])),
    }
  }
}

/** A row for each person and group, of which the server counts the people. */
function pipelineOf({ person, dates, sums, k }: Question, groups: readonly string[]): Document[] {
  const groupedAs = (name: string) => {
    const unit = dates[name]
    return {
      $ifNull: [
        unit === undefined ? `$${name}` : { $dateTrunc: { date: `$${name}`, unit, startOfWeek: 'monday' } },
        null,
      ],
    }
  }
  const keys = Object.fromEntries(groups.map((name, at) => [`g${at}`, groupedAs(name)]))
  const totals = Object.fromEntries(sums.map((name, at) => [`s${at}`, { $sum: `$${name}` }]))
  const group = Object.fromEntries(groups.map((_, at) => [`g${at}`, `$_id.g${at}`]))
  return [
    { $match: { [person]: { $exists: true, $ne: null } } },
    { $group: { _id: { person: `$${person}`, ...keys }, documents: { $sum: 1 }, ...totals } },
    { $setWindowFields: { partitionBy: group, output: { people: { $sum: 1 } } } },
    { $match: { people: { $gte: k } } },
  ]
}

function requirePaths(entity: Entity, { person, by, dates, sums }: Question): void {
  const { subjects = {}, notPersonal = [] } = personalFieldsOf(entity) ?? {}
  if (!Object.hasOwn(subjects, person) || isThroughList(entity, person))
    throw refused(`${person} is no path of ${entity.collection} that names one person`)
  for (const name of [...by, ...Object.keys(dates), ...sums]) {
    const schema = schemaAtAnyItem(entity, name)
    if (schema === undefined || isThroughList(entity, name)) throw refused(`${name} is no single field`)
    const [head = ''] = name.split('.')
    const isStamp = name === 'createdAt' || name === 'updatedAt'
    if (!notPersonal.includes(head) && !isStamp) throw refused(`${name} was not declared to be not personal`)
    if (coreSchema(schema) instanceof z.ZodDate !== Object.hasOwn(dates, name) && !sums.includes(name))
      throw refused(`dates, and nothing else, are cut: ${name}`)
  }
}

function isThroughList(entity: Entity, name: string): boolean {
  const segments = name.split('.')
  return segments.some((_, at) => {
    const schema = schemaAtAnyItem(entity, segments.slice(0, at + 1).join('.'))
    return schema !== undefined && itemSchema(schema) !== undefined
  })
}

function refused(reason: string): DatabaseError {
  return new DatabaseError('CONFIGURATION', `The question cannot be answered without persons: ${reason}`)
}
