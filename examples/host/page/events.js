import { byId, element, KeyedList, setText } from './dom.js'
import { timeOfDay, words } from './format.js'

const list = new KeyedList(byId('event-list'), ({ id }) => id, createEvent)
let isFirst = true

export function showEvents(events) {
  list.sync(events)
  isFirst = false
}

const causes = {
  backend: 'by command',
  manual: 'at the wall switch',
  schedule: 'by schedule',
  restore: 'restored after a restart',
  unknown: 'why is unknown',
}

function createEvent({ at, on, names }) {
  const who = element('p', { class: 'who' })
  const node = element(
    'li',
    { class: isFirst ? 'event' : 'event fresh' },
    element('span', { class: on ? 'lamp on' : 'lamp' }, on ? 'on' : 'off'),
    element('span', {}, element('b', {}, names.switch), ` · ${names.device}`),
    element('time', { datetime: at }, timeOfDay(at)),
    who,
  )
  return { node, update: (event) => setText(who, [whoAndWhy(event), place(event.entry)].filter(Boolean).join(' · ')) }
}

function whoAndWhy({ userName, cause, entry }) {
  return [userName, causes[cause] ?? inferred(entry)].filter(Boolean).join(', ')
}

/** Nobody said why: this is how it is known. */
function inferred({ flags, silentSince }) {
  if (flags.includes('reboot')) return 'the device started again'
  if (silentSince !== null) return `heard of again, after silence since ${timeOfDay(silentSince)}`
  return flags.includes('snapshot') ? 'seen in a snapshot' : ''
}

/** Where in the ledger it is. */
function place(entry) {
  if (entry === null) return 'no entry of its own'
  const flags = entry.flags.filter((flag) => flag !== 'snapshot').map(words)
  return [`entry ${entry.sequence}`, entry.hash.slice(0, 8), ...flags].join(' · ')
}
