import { get, onPress, post } from './api.js'
import { drawCurve } from './curve.js'
import { byId, element, KeyedList, setAttribute, setText } from './dom.js'
import { dayAndTime, timeOfDay, withTimes, words } from './format.js'
import { setState } from './mood.js'
import { soon } from './soon.js'

let openId = null
let shownAlert = null

const alerts = new KeyedList(byId('case-alerts'), ({ id }) => id, createAlert)

/** Shows one case, and keeps it up to date until another one is chosen. @param alert Whose curve to draw; the last one if left out. */
export async function openCase(id, alert = null) {
  openId = id
  shownAlert = alert
  await read()
  if (openId !== id) return
  byId('case').scrollIntoView()
  byId('case').focus({ preventScroll: true })
}

export function showCaseOf(alert) {
  return openCase(alert.case, alert.id)
}

/** Something has changed that the case may show: it is read again soon, once for many changes. */
export const followCase = soon(read)

async function read() {
  const id = openId
  if (id === null) return
  const found = await get(`incidents/case?id=${encodeURIComponent(id)}`)
  if (found === undefined || openId !== id) return
  show(found)
  await drawAround(found)
}

function show(found) {
  byId('case-none').hidden = true
  byId('case-body').hidden = false
  byId('case-close').hidden = false
  setAttribute(byId('case'), 'data-shown', found.id)
  setText(byId('case-title'), withTimes(found.title))
  setText(byId('case-note'), [found.room, `opened ${dayAndTime(found.openedAt)}`].filter(Boolean).join(' · '))
  byId('case-facts').replaceChildren(...factsOf(found).map(factOf))
  alerts.sync(found.alerts)
  fill('case-history', found.history.map(changeRow))
  fill('case-comments', found.comments.map(commentRow))
  byId('history-none').hidden = found.history.length > 0
  byId('comments-none').hidden = found.comments.length > 0
  byId('comment-form').hidden = found.status === 'closed'
  byId('case-take').hidden = found.status !== 'open' && (found.assigneeId !== null || !found.isOpen)
  byId('case-resolve').hidden = !found.isOpen
  byId('case-end').hidden = found.status === 'closed'
}

function factsOf({ status, severity, priority, assignee, dueAt, resolvedAt, closedAt, resolution }) {
  return [
    ['status', words(status)],
    ['severity', severity],
    ['priority', priority],
    ['works on it', assignee ?? 'nobody yet'],
    ['due', dueAt === null ? '–' : dayAndTime(dueAt)],
    ['resolved', resolvedAt === null ? 'not yet' : dayAndTime(resolvedAt)],
    ['closed', closedAt === null ? 'not yet' : dayAndTime(closedAt)],
    ['what was done', resolution ?? '–'],
  ]
}

function factOf([name, value]) {
  return element('div', {}, element('dt', {}, name), element('dd', {}, value))
}

function createAlert({ id, type, at, message }) {
  const state = element('b', { class: 'state' })
  const draw = element('button', { type: 'button', class: 'link', 'data-curve': id }, words(type))
  draw.addEventListener('click', () => {
    shownAlert = id
    void read()
  })
  const node = element(
    'li',
    { class: 'row' },
    state,
    draw,
    element('time', { datetime: at }, timeOfDay(at)),
    element('span', { class: 'note' }, withTimes(message)),
  )
  return {
    node,
    update: ({ severity, resolvedAt }) => {
      setState(node, resolvedAt === null ? severity : 'over')
      setText(state, resolvedAt === null ? severity : 'over')
      setAttribute(draw, 'aria-pressed', String(id === shownAlert))
    },
  }
}

function changeRow({ at, by, field, from, to }) {
  const change = from === null ? `${field}: ${to ?? 'nothing'}` : `${field}: ${from} → ${to ?? 'nothing'}`
  return element(
    'li',
    { class: 'row' },
    element('b', { class: 'state' }, by ?? 'the rules'),
    element('span', {}, words(change)),
    element('time', { datetime: at }, timeOfDay(at)),
  )
}

function commentRow({ at, author, text }) {
  return element(
    'li',
    { class: 'row' },
    element('b', { class: 'state' }, author ?? 'somebody'),
    element('span', {}, text),
    element('time', { datetime: at }, timeOfDay(at)),
  )
}

function fill(id, rows) {
  byId(id).replaceChildren(...rows)
}

/** The alert that was chosen, else the last one of the case. */
async function drawAround({ id, alerts: all }) {
  const alert = all.find((one) => one.id === shownAlert) ?? all[0]
  if (alert === undefined) {
    setText(byId('curve-note'), 'The case has no alert that could be drawn.')
    byId('curve').replaceChildren()
    return
  }
  shownAlert = alert.id
  const curve = await get(`incidents/curve?alert=${encodeURIComponent(alert.id)}`)
  if (curve === undefined || openId !== id) return
  setText(
    byId('curve-title'),
    `${words(curve.quantity)} around ${timeOfDay(curve.at)}: ${alert.device ?? 'the school'}`,
  )
  setText(byId('curve-note'), noteOf(curve))
  drawCurve(byId('curve'), curve)
}

function noteOf({ points, unit, limit, until }) {
  if (points.length === 0) return 'The device has measured nothing around it: it has relays alone, or was away.'
  const end = until === null ? 'it goes on' : `over at ${timeOfDay(until)}`
  return [limit === null ? null : `the limit is ${limit} ${unit}`, end].filter(Boolean).join(' · ')
}

const acting = (button, work) => onPress(byId(button), async () => void ((await work()) !== undefined && followCase()))
acting('case-take', () => post('incidents/take', { id: openId }))
acting('case-resolve', () => post('incidents/move', { id: openId, to: 'resolved', resolution: 'Set right by hand.' }))
acting('case-end', () => post('incidents/move', { id: openId, to: 'closed' }))
byId('comment-form').addEventListener('submit', async (event) => {
  event.preventDefault()
  const text = byId('comment-text').value
  if ((await post('incidents/comment', { id: openId, text })) === undefined) return
  byId('comment-text').value = ''
  followCase()
})
byId('case-close').addEventListener('click', () => {
  openId = null
  byId('case-body').hidden = true
  byId('case-close').hidden = true
  byId('case-none').hidden = false
  setAttribute(byId('case'), 'data-shown', null)
  setText(byId('case-title'), 'One case')
  setText(byId('case-note'), '')
})
