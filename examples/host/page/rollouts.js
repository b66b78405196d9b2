import { onPress, post } from './api.js'
import { byId, element, KeyedList, setAttribute, setText } from './dom.js'
import { timeOfDay, words } from './format.js'
import { setState } from './mood.js'

const list = new KeyedList(byId('rollout-list'), ({ id }) => id, createRollout)

export function showRollouts(rollouts) {
  list.sync(rollouts)
}

function createRollout({ id, version, startedAt }) {
  const [state, note] = [element('b', { class: 'state' }), element('p', { class: 'note' })]
  const title = element('p', {}, state, ` ${version}, since ${timeOfDay(startedAt)}`)
  const devices = element('ul', { class: 'installs' })
  const ofDevices = new KeyedList(devices, ({ name }) => name, createInstall)
  const buttons = ['pause', 'resume', 'cancel'].map((change) => {
    const button = element('button', { type: 'button', 'data-change': change }, words(change))
    setAttribute(button, 'aria-label', `${change} the roll-out of ${version}`)
    onPress(button, () => post('rollouts/change', { id, change }))
    return button
  })
  const actions = element('div', { class: 'actions' }, ...buttons)
  const node = element('li', { class: 'rollout', 'data-rollout': id }, title, note, devices, actions)
  return {
    node,
    update: ({ status, percent, reason, counts, devices: installs }) => {
      setState(node, status)
      setText(state, status)
      const parts = Object.entries(counts).flatMap(([name, count]) => (count > 0 ? [`${count} ${words(name)}`] : []))
      setText(note, [`${percent} % of the devices`, ...parts, reason].filter(Boolean).join(' · '))
      ofDevices.sync(installs)
      const usable = { running: ['pause', 'cancel'], paused: ['resume', 'cancel'], halted: ['cancel'] }[status] ?? []
      for (const button of buttons) button.hidden = !usable.includes(button.dataset.change)
    },
  }
}

function createInstall({ name }) {
  const text = element('span')
  const node = element('li', {}, element('b', {}, name), ' ', text)
  return {
    node,
    update: ({ status, reason }) => {
      setState(node, status)
      setText(text, reason === null ? words(status) : `${words(status)}: ${reason}`)
    },
  }
}

onPress(byId('rollout-good'), () => post('rollouts/start', { kind: 'good' }))
onPress(byId('rollout-hungry'), () => post('rollouts/start', { kind: 'hungry' }))
