import type { Document, ObjectId } from 'mongodb'
import type { PipelineStage } from 'mongoose'
import { z } from 'zod'
import { objectId } from '../../core/fields.js'
import { validateData } from '../../core/validate.js'
import type { DailyAggregate } from '../roll-ups/daily-aggregate.js'
import type { MonthlyAggregate } from '../roll-ups/monthly-aggregate.js'

/** Stages of an aggregation whose results have this shape: `model.aggregate<RowOf<typeof pipeline>>(pipeline)`. */
export interface Pipeline<Row> extends Array<PipelineStage> {
  /** Carries the type of a result; never set. */
  readonly row?: Row
}

/** Row of: what an aggregation with the pipeline returns. */
export type RowOf<P extends Pipeline<unknown>> = NonNullable<P['row']>

/** Names of results with the field that each one comes from. */
type Named<Fields> = Readonly<Record<string, Fields>>

/** Stages that know the fields of the documents that they are for. */
export interface StagesOf<Stored> {
  /** The documents whose text in a field is from one to another, both included. */
  between(field: keyof Stored & string, from: string, to: string): PipelineStage
  /** The documents whose field has one of some ids; all of them where none are named. */
  among(field: keyof Stored & string, ids: readonly ObjectId[] | undefined): PipelineStage[]
  /** Sums of fields by others, as flat rows, each with the number of its documents as `documents`. */
  sumBy(by: Named<keyof Stored & string>, sums: Named<keyof Stored & string>, more?: Document): PipelineStage[]
}

const nameSchema = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
const namesSchema = z.record(nameSchema, nameSchema)
const textSchema = z.string().max(100)
const expressionsSchema = z.record(nameSchema, z.unknown())
/** Ids to choose by; undefined for all. */
export const idsSchema = z.array(objectId()).optional()

/** What names a field, and what it is compared with, comes in as it is: it may be of a request. */
function stagesOf<Stored>(): StagesOf<Stored> {
  return {
    between: (field, from, to) => {
      const name = validateData(nameSchema, field, 'The field')
      const [first, last] = validateData(z.tuple([textSchema, textSchema]), [from, to], 'The range')
      return { $match: { [name]: first === last ? first : { $gte: first, $lte: last } } }
    },
    among: (field, ids) => {
      const name = validateData(nameSchema, field, 'The field')
      const chosen = validateData(idsSchema, ids, 'The ids')
      return chosen === undefined ? [] : [{ $match: { [name]: { $in: chosen } } }]
    },
    sumBy: (by, sums, more = {}) => [
      ...summed(
        validateData(namesSchema, by, 'The grouping'),
        validateData(namesSchema, sums, 'The sums'),
        validateData(expressionsSchema, more, 'What is computed besides'),
      ),
    ],
  }
}

function summed(by: Named<string>, sums: Named<string>, more: Document): PipelineStage[] {
  return [
    {
      $group: {
        _id: mapValues(by, (field) => `$${field}`),
        ...mapValues(sums, (field) => ({ $sum: `$${field}` })),
        ...more,
        documents: { $sum: 1 },
      },
    },
    { $replaceRoot: { newRoot: { $mergeObjects: ['$$ROOT', '$_id'] } } },
    { $unset: '_id' },
  ]
}

/** Stages for the collection of daily roll-ups. */
export const dailyStages: StagesOf<DailyAggregate> = stagesOf()
/** Stages for the collection of monthly roll-ups. */
export const monthlyStages: StagesOf<MonthlyAggregate> = stagesOf()

function mapValues<From, To>(record: Readonly<Record<string, From>>, change: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]))
}
