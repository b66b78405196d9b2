import type { Attributes } from '@opentelemetry/api'
import type { CallFailure, StartedCall } from '../operations/calls/call-source.js'

/**
 * What is known of a call when it starts, by the semantic conventions: those for database clients are stable, those for MongoDB,
 * which fill them in, in development (https://opentelemetry.io/docs/specs/semconv/database/mongodb).
 */
export function startAttributes({ database, collection, command, address }: StartedCall): Attributes {
  const port = /:(\d+)$/.exec(address)?.[1]
  return {
    'db.system.name': 'mongodb',
    'db.namespace': database,
    'db.operation.name': command,
    'db.query.summary': summaryOf({ collection, command }),
    ...(collection === '' ? {} : { 'db.collection.name': collection }),
    'server.address': port === undefined ? address : address.slice(0, -port.length - 1),
    ...(port === undefined ? {} : { 'server.port': Number(port) }),
  }
}

/** What is known of one that has failed. */
export function failureAttributes({ code, name }: CallFailure): Attributes {
  return code === null
    ? { 'error.type': name }
    : { 'error.type': String(code), 'db.response.status_code': String(code) }
}

/** Of few values: the name of the span. */
export function summaryOf({ collection, command }: Pick<StartedCall, 'collection' | 'command'>): string {
  return collection === '' ? command : `${command} ${collection}`
}
