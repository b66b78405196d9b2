import { setText } from './dom.js'
import { count, timeOfDay } from './format.js'
import { draw } from './svg.js'

const size = { width: 640, height: 220, left: 8, right: 8, top: 22, bottom: 24 }
/** Readings that are further apart have no line between them. */
const gapMs = 20_000

/** Draws what was measured around an alert: the line, the limit, and from when until when it was wrong. */
export function drawCurve(target, { points, limit, unit, from, to, at, until, quantity }) {
  if (points.length === 0) {
    target.replaceChildren()
    return
  }
  const times = [from, to].map((one) => new Date(one).getTime())
  const values = points.map(({ value }) => value).concat(limit ?? [])
  const [low, high] = spread(Math.min(...values), Math.max(...values))
  const x = (instant) => size.left + share(new Date(instant).getTime(), times) * (size.width - size.left - size.right)
  const y = (value) => size.height - size.bottom - share(value, [low, high]) * (size.height - size.top - size.bottom)
  const peak = points.reduce((one, other) => (other.value > one.value ? other : one))
  const label = `${quantity.replaceAll('_', ' ')} from ${timeOfDay(from)} to ${timeOfDay(to)}: at most ${count(peak.value)} ${unit}`
  const svg = draw('svg', {
    viewBox: `0 0 ${size.width} ${size.height}`,
    class: 'curve',
    role: 'img',
    'aria-label': label,
  })
  const [left, right] = [x(at), Math.max(x(at) + 2, x(until ?? points.at(-1).at))]
  svg.append(
    draw('rect', { class: 'event', x: left, y: size.top, width: right - left, height: y(low) - size.top }),
    draw('line', { class: 'ground', x1: size.left, x2: size.width - size.right, y1: y(low), y2: y(low) }),
    ...(limit === null ? [] : limitLine(limit, y(limit), unit)),
    ...stretchesOf(points).map((some) =>
      draw('polyline', { class: 'line', points: some.map((one) => `${x(one.at)},${y(one.value)}`).join(' ') }),
    ),
    text(timeOfDay(from), { x: size.left, y: size.height - 6 }),
    text(timeOfDay(at), { x: left, y: size.height - 6, 'text-anchor': 'middle' }),
    text(timeOfDay(to), { x: size.width - size.right, y: size.height - 6, 'text-anchor': 'end' }),
    text(`${count(high)} ${unit}`, { x: size.left, y: 14 }),
  )
  target.replaceChildren(svg)
}

function limitLine(limit, at, unit) {
  const end = size.width - size.right
  return [
    draw('line', { class: 'limit', x1: size.left, x2: end, y1: at, y2: at }),
    text(`limit ${count(limit)} ${unit}`, { x: end, y: at - 5, 'text-anchor': 'end', class: 'limit-text' }),
  ]
}

/** What belongs together: nobody knows what was between readings that are far apart. */
function stretchesOf(points) {
  const stretches = []
  let lastMs = Number.NEGATIVE_INFINITY
  for (const point of points) {
    const atMs = new Date(point.at).getTime()
    if (atMs - lastMs > gapMs) stretches.push([])
    stretches.at(-1).push(point)
    lastMs = atMs
  }
  return stretches
}

function spread(low, high) {
  const room = (high - low || Math.abs(high) || 1) * 0.08
  return [low - room, high + room]
}

function share(value, [low, high]) {
  return Math.min(1, Math.max(0, (value - low) / (high - low)))
}

function text(content, attributes) {
  const node = draw('text', attributes)
  setText(node, content)
  return node
}
