import type { SchemaLike } from '../../core/schema-like.js'
import { validateData } from '../../core/validate.js'
import type { AnalyticsCache } from '../cache/analytics-cache.js'
import { lastDayOfMonth } from './periods.js'
import type { ParsedDays } from './questions.js'

/** Days or months, and what else a report is asked for by. */
type ReportQuestion = Readonly<ParsedDays>

/** Answers that depend on nothing but a question and the roll-ups of its range, through the cache if there is one. */
export class Reports {
  readonly #cache: AnalyticsCache | undefined

  constructor(cache: AnalyticsCache | undefined) {
    this.#cache = cache
  }

  async report<Question extends ReportQuestion, Rows>(
    type: string,
    schema: SchemaLike<Question>,
    question: unknown,
    answer: (question: Question) => Promise<Rows>,
  ): Promise<Rows> {
    const parsed = validateData(schema, question, 'The question')
    if (this.#cache === undefined) return answer(parsed)
    const given = Object.fromEntries(Object.entries(parsed).filter(([, value]) => value !== undefined))
    return this.#cache.getOrCompute(type, given, () => answer(parsed), { dependsOn: dependenciesOf(parsed) })
  }
}

function dependenciesOf({ from, to, classrooms, devices }: ReportQuestion) {
  const isMonths = from.length === 7
  return {
    fromDay: isMonths ? `${from}-01` : from,
    toDay: isMonths ? lastDayOfMonth(to) : to,
    ...(classrooms && { classrooms }),
    ...(devices && { devices }),
  }
}
