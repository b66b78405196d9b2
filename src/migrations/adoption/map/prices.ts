import type { Document } from 'mongodb'
import { type CostVersionInput, costVersionEntity, DEFAULT_TARIFF } from '../../../energy/tariffs/cost-version.js'
import { isPrice } from '../../../metering/index.js'
import type { Rooms } from './classrooms.js'
import { type Mapped, Mapping } from './mapped.js'
import { dateOf, given, isGiven, shownId, textOf } from './values.js'

/** A price of the origin, with what it holds for and until when. */
interface OriginPrice {
  readonly document: Document
  /** Undefined for all rooms. */
  readonly room: string | undefined
  readonly price: number
  readonly fromMs: number
  readonly untilMs: number
}

/**
 * The tariffs of the origin's `cost_versions`: `default` of those for all rooms, and one of its own for each room that has had a
 * price of its own, which the general ones follow where that ends.
 */
export function mapPrices(documents: readonly Document[], rooms: Rooms, currency: string): Mapped<CostVersionInput> {
  const mapping = new Mapping('cost_versions', costVersionEntity.inputSchema)
  const prices = documents.flatMap((document) => readPrice(mapping, document, rooms) ?? [])
  const general = withoutRepeats(
    mapping,
    prices.filter(({ room }) => room === undefined),
  )
  addTariff(mapping, DEFAULT_TARIFF, general, [], currency)
  for (const room of new Set(prices.flatMap(({ room: name }) => name ?? []))) {
    const own = withoutRepeats(
      mapping,
      prices.filter((price) => price.room === room),
    )
    addTariff(mapping, room, general, own, currency)
  }
  return mapping
}

function readPrice(mapping: Mapping<CostVersionInput>, document: Document, rooms: Rooms): OriginPrice | undefined {
  const { cost_per_kwh: price, scope, classroom, is_active: isActive } = document
  const from = dateOf(document.effective_from)
  const until = dateOf(document.effective_until)
  const room = scope === 'classroom' ? rooms.find(classroom) : undefined
  if (isActive !== true) mapping.leave(document, 'it is not active')
  else if (scope !== 'global' && scope !== 'classroom')
    mapping.leave(document, `prices by ${shownId(scope)} have no counterpart`)
  else if (scope === 'classroom' && room === undefined) mapping.leave(document, 'a room that is not there')
  else if (from === undefined) mapping.leave(document, 'an instant from which it holds is missing')
  else if (until !== undefined && until <= from) mapping.leave(document, 'it ends before it begins')
  else if (typeof price !== 'number' || !isPrice(price))
    mapping.leave(document, 'its price is no number of at most six decimals')
  else {
    if (until === undefined && isGiven(document.effective_until))
      mapping.note(document, 'until when it holds cannot be read: it holds until the next one')
    const untilMs = until?.getTime() ?? Number.POSITIVE_INFINITY
    return { document, room: room?.name, price, fromMs: from.getTime(), untilMs }
  }
  return undefined
}

function withoutRepeats(mapping: Mapping<CostVersionInput>, prices: readonly OriginPrice[]): OriginPrice[] {
  const kept = new Map<number, OriginPrice>()
  for (const price of prices) {
    const other = kept.get(price.fromMs)
    if (other === undefined) kept.set(price.fromMs, price)
    else {
      const how = other.price === price.price ? 'the same version once more' : 'another price from the same instant'
      mapping.leave(price.document, `${how}, as ${shownId(other.document._id)}`)
    }
  }
  return [...kept.values()].sort((a, b) => a.fromMs - b.fromMs)
}

function addTariff(
  mapping: Mapping<CostVersionInput>,
  tariff: string,
  general: readonly OriginPrice[],
  own: readonly OriginPrice[],
  currency: string,
): void {
  const cuts = new Set([...general, ...own].flatMap(({ fromMs, untilMs }) => [fromMs, untilMs]))
  let before: OriginPrice | undefined
  for (const atMs of [...cuts].filter(Number.isFinite).sort((a, b) => a - b)) {
    const held = heldAt(own, atMs) ?? heldAt(general, atMs)
    // Where nothing holds, a tariff goes on as before.
    if (held === undefined || held.price === before?.price) continue
    before = held
    const note = textOf(held.document.notes)?.slice(0, 1000)
    mapping.add(held.document, {
      tariff,
      startsAt: new Date(atMs),
      currency,
      pricePerKwh: held.price,
      ...given('note', note),
    })
  }
}

function heldAt(prices: readonly OriginPrice[], atMs: number): OriginPrice | undefined {
  return prices.findLast(({ fromMs, untilMs }) => fromMs <= atMs && atMs < untilMs)
}
