import type { Document } from 'mongodb'
import { isRecord } from '../../core/is-record.js'

const longestShape = 600
const deepest = 6
const mostFields = 30

/** What stands for an operator in a shape. */
const signs: Readonly<Record<string, string>> = {
  $eq: '=',
  $ne: '!=',
  $gt: '>',
  $gte: '>=',
  $lt: '<',
  $lte: '<=',
}

/**
 * What a command asks for without a value in it: fields, operators, the order of a sort, the stages of a pipeline, such as
 * `find { device: =, at: >= < } sort { at: -1 }`.
 * @param operation What the server or the driver calls it, such as `find` or `update`.
 */
export function shapeOf(operation: string, command: unknown): string {
  const text = isRecord(command) ? describe(operation, command) : operation
  return text.length > longestShape ? `${text.slice(0, longestShape)} …` : text
}

function describe(operation: string, command: Document): string {
  // What is fetched on is a piece of what was asked for at first.
  if (isRecord(command.originatingCommand)) return `getMore of ${describe(operation, command.originatingCommand)}`
  const name = nameOf(operation, command)
  const { filter, query, q, u, sort, hint, pipeline, updates, deletes, documents, update } = command
  const parts = [
    ...(isRecord(filter) ? [filterShape(filter, 0)] : []),
    ...(isRecord(query) ? [filterShape(query, 0)] : []),
    ...(isRecord(q) ? [filterShape(q, 0)] : []),
    ...firstOf(updates),
    ...firstOf(deletes),
    ...(u === undefined ? [] : [`by ${changeShape(u)}`]),
    ...(name === 'findAndModify' && update !== undefined ? [`by ${changeShape(update)}`] : []),
    ...(Array.isArray(pipeline) ? [pipeline.slice(0, mostFields).map(stageShape).join(', ')] : []),
    ...(isRecord(sort) ? [`sort ${orderShape(sort)}`] : []),
    ...(hint === undefined ? [] : ['with a hint']),
    ...(Array.isArray(documents)
      ? [`of ${documents.length} ${documents.length === 1 ? 'document' : 'documents'}`]
      : []),
  ]
  return [name, ...parts].join(' ')
}

const commandNames = [
  'find',
  'aggregate',
  'findAndModify',
  'count',
  'distinct',
  'insert',
  'update',
  'delete',
  'getMore',
]

/** The profiler calls a command of any kind a command. */
function nameOf(operation: string, command: Document): string {
  if (operation === 'remove') return 'delete'
  return commandNames.find((name) => command[name] !== undefined && !isRecord(command[name])) ?? operation
}

function firstOf(statements: unknown): string[] {
  if (!Array.isArray(statements)) return []
  const [first] = statements
  if (!isRecord(first) || !isRecord(first.q)) return []
  const by = first.u === undefined ? '' : ` by ${changeShape(first.u)}`
  const more = statements.length > 1 ? ` and ${statements.length - 1} more` : ''
  return [`${filterShape(first.q, 0)}${by}${more}`]
}

function changeShape(change: unknown): string {
  if (Array.isArray(change)) return change.map(stageShape).join(', ')
  if (!isRecord(change)) return 'another document'
  const operators = Object.keys(change)
  if (!operators.every((name) => name.startsWith('$'))) return 'another document'
  return operators.map((name) => `${name} ${namesIn(change[name])}`).join(', ')
}

function namesIn(value: unknown): string {
  return isRecord(value) ? `{ ${Object.keys(value).slice(0, mostFields).join(', ')} }` : ''
}

function filterShape(filter: Document, depth: number): string {
  if (depth > deepest) return '{ … }'
  const fields = Object.entries(filter)
    .slice(0, mostFields)
    .map(([name, value]) => `${name}: ${conditionShape(name, value, depth)}`)
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
}

function conditionShape(name: string, value: unknown, depth: number): string {
  if (name === '$and' || name === '$or' || name === '$nor')
    return Array.isArray(value)
      ? `[${value
          .slice(0, mostFields)
          .map((part) => (isRecord(part) ? filterShape(part, depth + 1) : ''))
          .join(', ')}]`
      : ''
  // An expression may hold values anywhere.
  if (name.startsWith('$')) return 'expression'
  if (!isRecord(value)) return '='
  const operators = Object.keys(value)
  if (operators.length === 0 || !operators.every((operator) => operator.startsWith('$'))) return '='
  return operators.map((operator) => operatorShape(operator, value[operator], depth)).join(' ')
}

function operatorShape(operator: string, value: unknown, depth: number): string {
  if (operator === '$elemMatch' && isRecord(value)) return `elemMatch ${filterShape(value, depth + 1)}`
  if (operator === '$not' && isRecord(value)) return `not ${conditionShape('', value, depth + 1)}`
  return signs[operator] ?? operator.slice(1)
}

function stageShape(stage: unknown): string {
  if (!isRecord(stage)) return ''
  const [[name, value] = ['', undefined]] = Object.entries(stage)
  if (name === '$match' && isRecord(value)) return `$match ${filterShape(value, 0)}`
  if (name === '$sort' && isRecord(value)) return `$sort ${orderShape(value)}`
  return name
}

/** The driver's own commands have an order as a Map. */
function orderShape(sort: Document): string {
  const fields = (sort instanceof Map ? [...sort] : Object.entries(sort)).slice(0, mostFields)
  return `{ ${fields.map(([name, order]) => `${name}: ${order === -1 || order === 1 ? order : 'score'}`).join(', ')} }`
}
