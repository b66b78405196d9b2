import { element, setText } from './dom.js'
import { count, timeOfDay, words } from './format.js'
import { setState } from './mood.js'

/** A row of a list of commands: what was asked for, by whom, and what has become of it. */
export function commandRow(command) {
  const state = element('b', { class: 'state' })
  const note = element('span', { class: 'note' })
  const what = [words(command.command), command.names.switch, command.names.device].filter(Boolean).join(' · ')
  const time = element('time', { datetime: command.at }, timeOfDay(command.at))
  const node = element('li', { class: 'row', 'data-id': command.id }, state, element('span', {}, what), time, note)
  return {
    node,
    update: (news) => {
      setState(node, news.status)
      setText(state, words(news.status))
      setText(note, noteOf(news))
    },
  }
}

const evidences = { answer: 'its answer', event: 'an event', snapshot: 'a snapshot', transport: 'its transport' }

function noteOf({ by, source, latencyMs, reason, detail, attempts, evidence }) {
  return [
    by ?? source,
    latencyMs === null ? null : `${count(latencyMs)} ms, shown by ${evidences[evidence]}`,
    reason === null ? null : `${words(reason)}${detail === null ? '' : `: ${detail}`}`,
    attempts > 1 ? `${attempts} attempts` : null,
  ]
    .filter(Boolean)
    .join(' · ')
}
