import type { Tracer } from '@opentelemetry/api'
import { havingFunctions } from '../core/option-schemas.js'
import { validateData } from '../core/validate.js'
import { requireWatched, type WatchedHandle } from '../operations/metrics/metric-source.js'
import { failureAttributes, startAttributes, summaryOf } from './call-attributes.js'

const tracerSchema = havingFunctions<Tracer>('a tracer of OpenTelemetry', 'startSpan')
/** `SpanKind.CLIENT` and `SpanStatusCode.ERROR`: the library does not import the package that names them. */
const [client, error] = [2, 2] as const

/**
 * Makes a span of each call of a handle to the database, within the span that is active where it is made. No value of a query or
 * of a document is in it.
 * @returns a function that stops it.
 * @throws ValidationError; DatabaseError `CONFIGURATION` if the handle was not opened with `monitorCommands`.
 * @example
 * import { trace } from '@opentelemetry/api'
 * traceCalls(volt, trace.getTracer('school'))
 */
export function traceCalls(volt: WatchedHandle, tracer: Tracer): () => void {
  const [watched] = requireWatched(volt, undefined)
  const checked = validateData(tracerSchema, tracer, 'The tracer')
  return watched.operations.observeCalls((call) => {
    const span = checked.startSpan(summaryOf(call), { kind: client, attributes: startAttributes(call) })
    return ({ failure }) => {
      if (failure !== null) {
        span.setAttributes(failureAttributes(failure))
        span.setStatus({ code: error })
      }
      span.end()
    }
  })
}
