import { agoText } from './ago.js'
import { onPress, post } from './api.js'
import { byId, element, setAttribute, setText } from './dom.js'
import { count } from './format.js'
import { toast } from './toast.js'

const when = agoText('verified ')
const anchored = agoText(', anchored outside the database ')
byId('ledger-when').append(when.node, anchored.node)
let shown = ''
let wasPressed = false

export function showLedger({ verified, tampering }) {
  const mood = verified === null ? 'wait' : verified.valid ? 'good' : 'bad'
  const chip = byId('chip-ledger')
  setText(chip, { wait: 'not verified yet', good: 'ledger sound', bad: 'ledger broken' }[mood])
  setAttribute(chip, 'data-mood', mood)
  byId('alter').hidden = tampering !== null
  byId('undo').hidden = tampering === null
  when.instant = verified?.at ?? null
  when.refresh()
  anchored.instant = verified?.anchoredAt ?? null
  anchored.refresh()
  // Verifying again with the same result leaves what is shown alone.
  const { at, anchoredAt, durationMs, ...rest } = verified ?? {}
  const state = JSON.stringify([rest.valid, rest.findings, tampering, mood])
  if (state === shown) setText(byId('verified-entries'), entriesOf(verified))
  else {
    byId('ledger-body').replaceChildren(...parts(verified, tampering, mood))
    // Whoever pressed the button wants to see what came of it.
    if (mood === 'bad' && wasPressed) byId('ledger').scrollIntoView({ block: 'nearest' })
  }
  shown = state
}

function parts(verified, tampering, mood) {
  if (verified === null) return [verdict(mood, '…', 'Not verified yet', 'The first verification is about to begin.')]
  const title = verified.valid
    ? 'The ledger is sound'
    : `The ledger is broken in ${verified.damaged === 1 ? 'one place' : `${verified.damaged} places`}`
  const findings = verified.findings.map((finding) => findingOf(finding, tampering))
  const caveats = verified.caveats.map((text) => element('p', { class: 'caveat' }, text))
  return [verdict(mood, verified.valid ? '✓' : '!', title, entriesOf(verified)), ...findings, ...caveats]
}

function verdict(mood, sign, title, text) {
  return element(
    'div',
    { class: 'verdict', 'data-mood': mood },
    element('span', { class: 'sign', 'aria-hidden': 'true' }, sign),
    element('p', {}, element('b', {}, title), element('span', { class: 'note', id: 'verified-entries' }, text)),
  )
}

function entriesOf(verified) {
  if (verified === null) return ''
  const { entries, chains, durationMs } = verified
  return `${count(entries)} entries in ${count(chains)} chains, hashed and linked anew in ${count(durationMs)} ms`
}

const damages = {
  edited: 'Its bytes do not have the hash that it carries',
  deleted: 'Entries before it are missing',
  broken_link: 'It does not follow from the entry before it',
}

function findingOf({ damage, names, switchId, sequence, entryId, expected, found }, tampering) {
  const facts = [
    ['chain', `${names.switch} of ${names.device}, ${names.room}`, 'finding-chain'],
    ['', element('code', { id: 'finding-switch' }, switchId)],
    ['entry', `number ${sequence}`, 'finding-sequence'],
    ['', element('code', { id: 'finding-entry' }, entryId)],
    ['expected', element('code', { id: 'finding-expected' }, expected)],
    ['found', element('code', { class: 'differs', id: 'finding-found' }, found)],
    ...(tampering?.entryId === entryId ? [['altered', alterationOf(tampering)]] : []),
  ]
  const rows = facts.flatMap(([name, value, id]) => [element('dt', {}, name), element('dd', { id }, value)])
  return element('div', { class: 'finding' }, element('b', {}, damages[damage] ?? damage), element('dl', {}, ...rows))
}

function alterationOf({ field, was, is }) {
  return element('code', {}, `${field}: ${was} → ${is}`)
}

onPress(byId('verify'), () => post('ledger/verify'))
onPress(byId('alter'), async () => {
  wasPressed = true
  const answer = await post('ledger/alter')
  if (answer === undefined) return
  if (answer.tampering === null) toast('No chain is long enough yet. Wait a moment.')
})
onPress(byId('undo'), () => post('ledger/undo'))
