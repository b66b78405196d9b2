import type { Document, ObjectId } from 'mongodb'
import type { PipelineStage } from 'mongoose'
import type { DailyAggregate } from '../rollups/daily-aggregate.js'
import type { MonthlyAggregate } from '../rollups/monthly-aggregate.js'

/** Stages of an aggregation whose results have this shape: `model.aggregate<RowOf<typeof pipeline>>(pipeline)`. */
export interface Pipeline<Row> extends Array<PipelineStage> {
  /** Carries the type of a result; never set. */
  readonly row?: Row
}

/** What an aggregation with the pipeline returns. */
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

function stagesOf<Stored>(): StagesOf<Stored> {
  return {
    between: (field, from, to) => ({ $match: { [field]: from === to ? from : { $gte: from, $lte: to } } }),
    among: (field, ids) => (ids === undefined ? [] : [{ $match: { [field]: { $in: ids } } }]),
    sumBy: (by, sums, more = {}) => [
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
    ],
  }
}

/** Stages for the collection of daily roll-ups. */
export const dailyStages: StagesOf<DailyAggregate> = stagesOf()
/** Stages for the collection of monthly roll-ups. */
export const monthlyStages: StagesOf<MonthlyAggregate> = stagesOf()

function mapValues<From, To>(record: Readonly<Record<string, From>>, change: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]))
}
