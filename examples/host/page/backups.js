import { agoText } from './ago.js'
import { onPress, post } from './api.js'
import { byId, element, setAttribute, setText } from './dom.js'
import { bytes, count, timeOfDay } from './format.js'

const when = agoText('newest ')
byId('backups-when').append(when.node)
let known = null

export function showBackups(backups) {
  known = backups
  when.instant = backups.lastSuccessAt
  when.refresh()
  byId('backup-list').replaceChildren(...backups.backups.map(itemOf))
  byId('backup-facts').replaceChildren(...factsOf(backups))
  showAge()
}

/** A backup grows old while nothing else changes. */
function showAge() {
  if (known === null) return
  const mood = moodOf(known)
  const chip = byId('chip-backups')
  setText(chip, { wait: 'no backup yet', good: 'backed up', bad: 'backup too old' }[mood])
  setAttribute(chip, 'data-mood', mood)
  setAttribute(byId('backup-verdict'), 'data-mood', mood)
  setText(byId('backup-sign'), { wait: '…', good: '✓', bad: '!' }[mood])
  setText(byId('backup-title'), titles[mood])
  setText(byId('backup-note'), known.failures > 0 ? `${count(known.failures)} failures since: ${known.lastError}` : '')
}

const titles = {
  wait: 'There is no backup yet',
  good: 'There is a backup of late',
  bad: 'The newest backup is too old',
}

function moodOf({ lastSuccessAt, oldAfterMs }) {
  if (lastSuccessAt === null) return 'wait'
  return Date.now() - new Date(lastSuccessAt).getTime() > oldAfterMs ? 'bad' : 'good'
}

function itemOf({ id, state, startedAt, bytes: size, documents }) {
  const content = documents === null ? state : `${count(documents)} documents`
  return element('li', { title: id, 'data-state': state }, `${timeOfDay(startedAt)} · ${content} · ${bytes(size)}`)
}

function factsOf({ drill, lastDrillAt, reachableUntil }) {
  const ofDrill =
    drill === null
      ? 'a backup that was never restored is a hope'
      : `${drill.valid ? 'sound' : 'NOT sound'}: ${count(drill.documents)} documents in ${count(drill.durationMs)} ms`
  const facts = [
    ['restored on trial', lastDrillAt === null ? 'never' : timeOfDay(lastDrillAt), 'drill-at'],
    ['', ofDrill, 'drill-result'],
    ['each second until', reachableUntil === null ? '–' : timeOfDay(reachableUntil), 'reachable-until'],
  ]
  return facts.flatMap(([name, value, id]) => [element('dt', {}, name), element('dd', { id }, value)])
}

setInterval(showAge, 1000)
onPress(byId('make-backup'), () => post('backups/make'))
onPress(byId('drill'), () => post('backups/drill'))
