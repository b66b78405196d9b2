import { onPress, post } from './api.js'
import { byId, element, KeyedList, setAttribute, setText } from './dom.js'
import { dayAndTime } from './format.js'
import { setState } from './mood.js'
import { toast } from './toast.js'

const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
const known = { rooms: [], devices: [] }
let shownTargets = ''

byId('schedule-days').append(
  ...days.map((name, at) => {
    const box = element('input', { type: 'checkbox', value: String(at + 1), checked: at < 5 })
    return element('label', {}, box, ` ${name}`)
  }),
)

/** What a schedule can be for: rooms, devices, and their switches. */
export function setTargets(news) {
  Object.assign(known, news)
  const mayControl = known.devices.some((device) => device.mayControl !== false)
  byId('schedule-form').hidden = !mayControl
  const options = [
    ...known.rooms.map(({ id, name }) => [`classroom ${id}`, `${name} (all of it)`]),
    ...known.devices.flatMap(({ id, name, switches, mayControl }) => {
      const relays = switches.filter(({ type }) => type !== 'meter')
      if (mayControl === false || relays.length === 0) return []
      return [
        [`device ${id}`, `${name} (all of it)`],
        ...relays.map((one) => [`switch ${one.id}`, `${one.name} of ${name}`]),
      ]
    }),
  ]
  const text = JSON.stringify(options)
  if (text === shownTargets) return
  shownTargets = text
  const target = byId('schedule-target')
  const chosen = target.value
  target.replaceChildren(...options.map(([value, label]) => element('option', { value }, label)))
  if (options.some(([value]) => value === chosen)) target.value = chosen
}

let me = null
const list = new KeyedList(byId('schedule-list'), ({ id }) => id, createSchedule)

export function showSchedules(schedules, visitor) {
  me = visitor
  list.sync(schedules)
}

function createSchedule({ id }) {
  const [state, text, note] = [element('b', { class: 'state' }), element('span'), element('span', { class: 'note' })]
  let isEnabled = true
  const change = element('button', { type: 'button' })
  onPress(change, () => post('schedules/enable', { id, enabled: !isEnabled }))
  const remove = element('button', { type: 'button', class: 'danger' }, 'Remove')
  onPress(remove, () => post('schedules/remove', { id }))
  const actions = element('span', { class: 'row-actions' }, change, remove)
  const node = element('li', { class: 'row', 'data-schedule': id }, state, text, actions, note)
  return {
    node,
    update: (schedule) => {
      const { name, target, command, enabled, owner } = schedule
      isEnabled = enabled
      setState(node, enabled ? 'enabled' : 'disabled')
      setText(state, enabled ? 'enabled' : 'disabled')
      setText(text, `${name}: ${target} ${command === 'turn_on' ? 'on' : 'off'}, ${ruleText(schedule.rule)}`)
      setText(note, noteOf(schedule))
      setText(change, enabled ? 'Disable' : 'Enable')
      for (const button of [change, remove]) setAttribute(button, 'aria-label', `${button.textContent} ${name}`)
      actions.hidden = !me.isOperator && owner !== me.id
    },
  }
}

function ruleText({ type, at, expression, event, weekdays = [] }) {
  const when = type === 'time' ? `at ${at}` : type === 'cron' ? `by ${expression}` : `at ${event}`
  return [when, weekdays.map((day) => days[day - 1]).join(' ')].filter(Boolean).join(' on ')
}

function noteOf({ next, lastRunAt, missed, problem }) {
  return [
    next.length === 0 ? 'no run to come' : `next ${next.map(dayAndTime).join(' · ')}`,
    lastRunAt === null ? null : `last ${dayAndTime(lastRunAt)}`,
    missed > 0 ? `${missed} missed` : null,
    problem,
  ]
    .filter(Boolean)
    .join('; ')
}

function draft() {
  const [kind, id] = byId('schedule-target').value.split(' ')
  return {
    name: byId('schedule-name').value,
    target: { kind, id },
    rule: rule(byId('schedule-type').value),
    command: byId('schedule-command').value,
  }
}

function rule(type) {
  if (type === 'cron') return { type, expression: byId('schedule-cron').value }
  const weekdays = [...byId('schedule-days').querySelectorAll('input:checked')].map(({ value }) => Number(value))
  const on = weekdays.length === 0 || weekdays.length === 7 ? {} : { weekdays }
  return type === 'time' ? { type, at: byId('schedule-at').value, ...on } : { type: 'sun', event: type, ...on }
}

async function preview() {
  const runs = await post('schedules/preview', draft())
  if (runs === undefined) return
  const items = runs.map(({ at }) => element('li', {}, element('time', { datetime: at }, dayAndTime(at))))
  byId('schedule-runs').replaceChildren(...(items.length === 0 ? [element('li', {}, 'It never runs.')] : items))
}

byId('schedule-type').addEventListener('change', () => {
  const type = byId('schedule-type').value
  byId('schedule-at-label').hidden = type !== 'time'
  byId('schedule-cron-label').hidden = type !== 'cron'
  byId('schedule-days').hidden = type === 'cron'
})
onPress(byId('schedule-preview'), preview)
byId('schedule-form').addEventListener('submit', async (event) => {
  event.preventDefault()
  const given = draft()
  if ((await post('schedules/create', given)) !== undefined) toast(`${given.name} is scheduled.`)
})
