import type { EntityRule } from '../../core/entity.js'

/** Two numbers of which one follows from the other may differ by this share of the larger, for what was rounded. */
const relativeTolerance = 0.01
/** Wh; less than this is no disagreement: energies are often given in whole watt-hours. */
const energyFloorWh = 0.5
/** Currency units; less than this is no disagreement: amounts are often given in hundredths. */
const costFloor = 0.01

type Document = Readonly<Record<string, unknown>>
type Expression = Readonly<Record<string, unknown>>

/** A number in a document, or one that follows from numbers in it: as a function here and as an expression in the server. */
interface Term {
  /** The fields that it takes; the rule says nothing about a document in which one of them is no number or no date. */
  readonly paths: readonly string[]
  readonly of: (document: Document) => number
  readonly expression: Expression | string
}

/** A field of a document; a date is its epoch milliseconds. */
export function field(path: string): Term {
  return { paths: [path], of: (document) => Number(valueAt(document, path)), expression: { $toDouble: `$${path}` } }
}

/** Wh from W and seconds. */
export function energyOf(powerW: Term, seconds: Term): Term {
  return product(powerW, seconds, 3600)
}

/** Currency units from Wh and a price per kWh. */
export function costOfEnergy(energyWh: Term, pricePerKwh: Term): Term {
  return product(energyWh, pricePerKwh, 1000)
}

/** The term in another unit. */
export function divided(term: Term, divisor: number): Term {
  return {
    paths: term.paths,
    of: (document) => term.of(document) / divisor,
    expression: { $divide: [term.expression, divisor] },
  }
}

/** From one term to another. */
export function difference(from: Term, to: Term): Term {
  return {
    paths: [...from.paths, ...to.paths],
    of: (document) => to.of(document) - from.of(document),
    expression: { $subtract: [to.expression, from.expression] },
  }
}

/** An energy and what it follows from agree within 1 %, or half a watt-hour. */
export function energyAgrees(path: string, energyWh: Term, expected: Term): EntityRule {
  return agrees(path, 'the energy is not power by time', energyWh, expected, energyFloorWh)
}

/** A cost and what it follows from agree within 1 %, or a hundredth of the currency's unit. */
export function costAgrees(path: string, cost: Term, expected: Term): EntityRule {
  return agrees(path, 'the cost is not energy by rate', cost, expected, costFloor)
}

/** Two terms agree within 1 %, or the floor. */
export function agrees(path: string, message: string, given: Term, expected: Term, floor: number): EntityRule {
  return areNear(path, message, given, expected, floor, relativeTolerance)
}

/** Two terms are the same but for what rounding makes. */
export function isSame(path: string, message: string, given: Term, expected: Term, rounding: number): EntityRule {
  return areNear(path, message, given, expected, rounding, 0)
}

function areNear(path: string, message: string, given: Term, expected: Term, floor: number, share: number): EntityRule {
  const larger = { $max: [{ $abs: given.expression }, { $abs: expected.expression }] }
  const allowed = { $max: [floor, { $multiply: [share, larger] }] }
  const distance = { $abs: { $subtract: [given.expression, expected.expression] } }
  return whereKnown(
    path,
    message,
    [given, expected],
    (document) => {
      const [a, b] = [given.of(document), expected.of(document)]
      return Math.abs(a - b) <= Math.max(floor, share * Math.max(Math.abs(a), Math.abs(b)))
    },
    { $lte: [distance, allowed] },
  )
}

function product(one: Term, other: Term, divisor: number): Term {
  return {
    paths: [...one.paths, ...other.paths],
    of: (document) => (one.of(document) * other.of(document)) / divisor,
    expression: { $divide: [{ $multiply: [one.expression, other.expression] }, divisor] },
  }
}

/** The smaller term is not larger than the larger one by more than the slack. */
export function isAtMost(path: string, message: string, smaller: Term, larger: Term, slack: number): EntityRule {
  return whereKnown(
    path,
    message,
    [smaller, larger],
    (document) => smaller.of(document) <= larger.of(document) + slack,
    { $lte: [smaller.expression, { $add: [larger.expression, slack] }] },
  )
}

/** The first instant is before the second. */
export function isBefore(path: string, message: string, first: Term, second: Term): EntityRule {
  return whereKnown(path, message, [first, second], (document) => first.of(document) < second.of(document), {
    $lt: [first.expression, second.expression],
  })
}

/** A rule about terms that are there; the server would fail, and not refuse, where it computed with a text. */
function whereKnown(
  path: string,
  message: string,
  terms: readonly Term[],
  check: (document: Document) => boolean,
  expression: Expression,
): EntityRule {
  const paths = [...new Set(terms.flatMap((term) => term.paths))]
  const types = ['double', 'int', 'long', 'date']
  const areKnown = { $and: paths.map((each) => ({ $in: [{ $type: `$${each}` }, types] })) }
  return {
    path,
    message,
    check: (document) => !paths.every((each) => isKnown(valueAt(document, each))) || check(document),
    expression: { $cond: [areKnown, expression, true] },
  }
}

function isKnown(value: unknown): boolean {
  return typeof value === 'number' || value instanceof Date
}

function valueAt(document: Document, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => Object(value)[key], document)
}
