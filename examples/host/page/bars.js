import { element } from './dom.js'
import { paint } from './palette.js'

const steps = [1, 2, 5, 10]

/**
 * Draws upright bars.
 * @param columns `{ label, title, parts: [{ value, colour }] }`, from left to right; a column without a label has none below it.
 * @param show makes a text of a value, for the scale.
 */
export function drawBars(target, columns, show) {
  const highest = Math.max(0, ...columns.map(({ parts }) => sum(parts)))
  const top = niceAbove(highest)
  const lines = [top, top / 2, 0].map((value) => element('li', {}, show(value)))
  const bars = columns.map(({ title, parts }) => barOf(title, parts, top))
  const labels = columns.map(({ label }) => element('li', {}, label))
  target.replaceChildren(
    element('ul', { class: 'scale', 'aria-hidden': 'true' }, ...lines),
    element('ol', { class: 'bars' }, ...bars),
    element('ol', { class: 'labels', 'aria-hidden': 'true' }, ...labels),
  )
}

function barOf(title, parts, top) {
  const pieces = parts.filter(({ value }) => value > 0).map(({ value, colour }) => pieceOf(value / top, colour))
  return element('li', { title }, element('span', { class: 'unseen' }, title), ...pieces)
}

function pieceOf(share, colour) {
  const node = element('i')
  node.style.height = `${100 * share}%`
  paint(node, colour)
  return node
}

function niceAbove(value) {
  if (value <= 0) return 1
  const unit = 10 ** Math.floor(Math.log10(value))
  return unit * steps.find((step) => step * unit >= value)
}

function sum(parts) {
  return parts.reduce((total, { value }) => total + value, 0)
}
