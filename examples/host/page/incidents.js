import { get, onPress, post } from './api.js'
import { followCase, openCase, showCaseOf } from './case.js'
import { byId, element, KeyedList, setAttribute, setText } from './dom.js'
import { dayAndTime, timeOfDay, withTimes, words } from './format.js'
import { setState } from './mood.js'
import { beginPage, listen } from './shell.js'
import { toast } from './toast.js'

const me = await beginPage(byId('desk'), ({ sees }) => sees.incidents, 'Students and neighbours have no incident desk.')
for (const id of ['case-list', 'case-alerts', 'case-history']) byId(id).tabIndex = 0

const alerts = new KeyedList(byId('alert-list'), ({ id }) => id, createAlert)
const over = new KeyedList(byId('over-list'), ({ id }) => id, createOver)
const cases = new KeyedList(byId('case-list'), ({ id }) => id, createCase)

function show(desk) {
  alerts.sync(desk.alerts)
  over.sync(desk.over)
  cases.sync(desk.cases)
  byId('alerts-none').hidden = desk.alerts.length > 0
  byId('over-none').hidden = desk.over.length > 0
  byId('cases-none').hidden = desk.cases.length > 0
  setText(byId('alerts-title'), desk.alerts.length === 0 ? 'Open alerts' : `Open alerts: ${desk.alerts.length}`)
  followCase()
}

function createAlert({ id, severity, type, at }) {
  const text = element('span')
  const note = element('span', { class: 'note' })
  const seen = element('button', { type: 'button' }, 'I have seen it')
  onPress(seen, () => post('incidents/acknowledge', { id }))
  const look = element('button', { type: 'button' }, 'Look at it')
  const actions = element('span', { class: 'row-actions whole-row' }, look, seen)
  const node = element(
    'li',
    { class: 'row', 'data-alert': id, 'data-type': type },
    element('b', { class: 'state' }, severity),
    text,
    element('time', { datetime: at }, timeOfDay(at)),
    note,
    actions,
  )
  setState(node, severity)
  let last = null
  onPress(look, () => showCaseOf(last))
  return {
    node,
    update: (alert) => {
      last = alert
      setText(text, `${words(alert.type)} · ${[alert.device, alert.room].filter(Boolean).join(', ')}`)
      setText(
        note,
        [withTimes(alert.message), alert.isAcknowledged ? 'somebody has seen it' : null].filter(Boolean).join(' · '),
      )
      seen.hidden = alert.isAcknowledged
      look.hidden = alert.case === null
      for (const button of [look, seen])
        setAttribute(button, 'aria-label', `${button.textContent}: ${words(alert.type)} of ${alert.device}`)
    },
  }
}

function createOver({ type, device, at, resolvedAt, resolution }) {
  const node = element(
    'li',
    { class: 'row', 'data-type': type },
    element('b', { class: 'state' }, 'over'),
    element('span', {}, `${words(type)} · ${device}`),
    element('time', { datetime: resolvedAt }, timeOfDay(resolvedAt)),
    element('span', { class: 'note' }, `from ${timeOfDay(at)} to ${timeOfDay(resolvedAt)}${closing(resolution)}`),
  )
  setState(node, 'over')
  return { node, update: () => undefined }
}

/** What rules say has the instant in UTC, which is beside it already. */
function closing(resolution) {
  return resolution === null || resolution.startsWith('It was over at') ? '' : ` · ${resolution}`
}

function createCase({ id, openedAt }) {
  const [state, note] = [element('b', { class: 'state' }), element('span', { class: 'note' })]
  const open = element('button', { type: 'button', class: 'link', onclick: () => openCase(id) })
  const node = element(
    'li',
    { class: 'row', 'data-case': id },
    state,
    open,
    element('time', { datetime: openedAt }, timeOfDay(openedAt)),
    note,
  )
  return {
    node,
    update: ({ status, title, severity, room, assignee, dueAt, isOpen }) => {
      setState(node, isOpen ? severity : status)
      setText(state, words(status))
      setText(open, withTimes(title))
      const due = isOpen && dueAt !== null ? `due ${dayAndTime(dueAt)}` : null
      setText(note, [severity, room, assignee ?? 'nobody yet', due].filter(Boolean).join(' · '))
    },
  }
}

/** What an administrator can have the simulator cause. */
async function offerTroubles() {
  const kinds = (await get('incidents/kinds')) ?? []
  byId('cause-kinds').append(
    ...kinds.map((kind) => {
      const button = element('button', { type: 'button', 'data-cause': kind }, words(kind))
      onPress(button, async () => {
        const answer = await post('incidents/cause', { kind })
        if (answer?.device) toast(`${answer.device}: ${words(kind)}, in about a quarter of a minute.`)
        else if (answer !== undefined) toast('The devices are not there yet.')
      })
      return button
    }),
  )
}

if (me !== null) {
  byId('chip-neighbourhood').hidden = !me.sees.neighbourhood
  listen({ incidents: show })
  if (me.isOperator) await offerTroubles()
}
