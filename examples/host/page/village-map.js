import { draw } from './svg.js'

const size = { width: 640, height: 300, room: 46, side: 84 }
const shownTrades = 8

/** Draws the houses where they stand, with a line for each of the last trades from who sells to who buys. */
export function drawVillage(target, { households, trades }, self) {
  const spots = new Map(households.map(({ id, place }) => [id, spotOf(place, households)]))
  const label = `A map of ${households.length} houses: ${households.filter(gives).length} give energy now, the others take some. The list below has the values.`
  const svg = draw('svg', {
    viewBox: `0 0 ${size.width} ${size.height}`,
    class: 'village',
    role: 'img',
    'aria-label': label,
  })
  svg.append(
    ...trades.slice(0, shownTrades).flatMap((trade) => lineOf(trade, spots)),
    ...households.map((one) => houseOf(one, spots.get(one.id), one.id === self)),
  )
  target.replaceChildren(svg)
}

function gives({ powerW }) {
  return powerW !== null && powerW <= 0
}

function spotOf([longitude, latitude], households) {
  const [longitudes, latitudes] = [0, 1].map((axis) => households.map(({ place }) => place[axis]))
  const along = (value, all) => (value - Math.min(...all)) / (Math.max(...all) - Math.min(...all) || 1)
  return {
    x: size.side + along(longitude, longitudes) * (size.width - 2 * size.side),
    // North is above.
    y: size.room + (1 - along(latitude, latitudes)) * (size.height - 2.2 * size.room),
  }
}

function lineOf({ sellerId, buyerId, deliveredKwh }, spots) {
  const [from, to] = [spots.get(sellerId), spots.get(buyerId)]
  if (from === undefined || to === undefined) return []
  const kind = deliveredKwh === null ? 'trade' : 'trade done'
  const [middle, rise] = [(from.x + to.x) / 2, Math.min(from.y, to.y) - 24]
  return [draw('path', { class: kind, d: `M${from.x} ${from.y} Q${middle} ${rise} ${to.x} ${to.y}` })]
}

function houseOf({ name, meters, powerW, ...one }, { x, y }, isSelf) {
  const group = draw('g', { class: gives({ powerW, ...one }) ? 'house gives' : 'house' })
  group.append(draw('path', { d: `M${x - 14} ${y} l14 -13 l14 13 v15 h-28 z` }))
  if (meters.includes('roof')) group.append(draw('path', { class: 'roof', d: `M${x + 2} ${y - 11} l10 9` }))
  if (meters.includes('battery'))
    group.append(draw('rect', { class: 'cell', x: x - 5, y: y + 2, width: 10, height: 9 }))
  const text = draw('text', { x, y: y + 32, 'text-anchor': 'middle', class: isSelf ? 'self' : '' })
  text.textContent = isSelf ? 'you' : name.split(',')[0]
  group.append(text)
  return group
}
