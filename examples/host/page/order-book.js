import { byId, element, setText } from './dom.js'

/** Shows what is open by price: what is asked for above, the lowest price next to the highest that is bid. */
export function showBook({ bids, asks }) {
  byId('book-none').hidden = bids.length + asks.length > 0
  setText(byId('book-note'), noteOf(bids[0], asks[0]))
  const [below, above] = [deepened(bids), deepened(asks)]
  const deepest = Math.max(1e-9, ...below.concat(above).map(({ depth }) => depth))
  byId('book-rows').replaceChildren(
    ...above.toReversed().map((level) => rowOf('sell', level, deepest)),
    ...below.map((level) => rowOf('buy', level, deepest)),
  )
}

/** Each level with the energy that is there up to it. */
function deepened(levels) {
  let depth = 0
  return levels.map((level) => {
    depth += Number(level.energyKwh)
    return { ...level, depth }
  })
}

function rowOf(side, { pricePerKwh, energyKwh, orders, depth }, deepest) {
  const bar = element('i')
  bar.style.width = `${(100 * depth) / deepest}%`
  return element(
    'tr',
    { 'data-side': side },
    element('th', { scope: 'row' }, side),
    element('td', {}, Number(pricePerKwh).toFixed(2)),
    element('td', {}, Number(energyKwh).toFixed(3)),
    element('td', { class: 'depth' }, bar, element('span', {}, depth.toFixed(2))),
    element('td', {}, String(orders)),
  )
}

function noteOf(bid, ask) {
  if (bid === undefined || ask === undefined) return ''
  const spread = Number(ask.pricePerKwh) - Number(bid.pricePerKwh)
  // Distances and requirements may keep two orders apart whose prices cross.
  return spread < 0 ? 'some that cross are too far apart' : `₹${spread.toFixed(2)} apart`
}
