import { agoText } from './ago.js'
import { post } from './api.js'
import { byId, element, KeyedList, setAttribute, setText } from './dom.js'
import { watts } from './format.js'
import { toast } from './toast.js'

const patienceMs = 6_000
/** What was asked of switches and not answered yet, by the switch's id. */
const asked = new Map()

const list = new KeyedList(byId('device-list'), ({ id }) => id, createDevice)

export function showDevices(devices) {
  for (const device of devices) for (const one of device.switches) settle(device, one)
  list.sync(devices)
  const online = devices.filter(({ status }) => status === 'online').length
  const chip = byId('chip-devices')
  setText(chip, `${online} of ${devices.length} online`)
  setAttribute(chip, 'data-mood', online === devices.length ? 'good' : 'wait')
}

const protocols = { deployed: 'WARP', v2: 'v2' }

function createDevice(device) {
  const seen = agoText()
  const title = element('h3', { title: `${device.name}, ${device.macAddress}` }, device.name)
  const badge = element(
    'span',
    { class: 'badge', title: `firmware ${device.firmware ?? 'unknown'}` },
    protocols[device.protocol],
  )
  const pills = element('div', { class: 'pills' })
  const switches = new KeyedList(
    pills,
    ({ id }) => id,
    (one) => createSwitch(device, one),
  )
  const note = element('p', { class: 'note' }, `${device.room} · `, seen.node)
  const dot = element('span', { class: 'dot', role: 'img' })
  const node = element('li', { class: 'device' }, element('header', {}, dot, title, badge), note, pills)
  return {
    node,
    update: (news) => {
      const status = news.status ?? 'never heard of'
      setAttribute(node, 'data-status', status)
      setAttribute(dot, 'aria-label', status)
      setAttribute(dot, 'title', status)
      seen.instant = news.lastSeenAt
      seen.refresh()
      switches.sync(news.switches)
    },
  }
}

function createSwitch(device, one) {
  const name = element('span', {}, one.name)
  const power = element('b', { class: 'power' })
  if (one.type === 'meter') {
    const node = element(
      'span',
      { class: 'pill meter', title: 'A meter: it measures, and cannot be switched' },
      name,
      power,
    )
    return { node, update: (news) => setText(power, powerOf(news)) }
  }
  const node = element('button', { class: 'pill', type: 'button', role: 'switch', 'data-switch': one.id }, name, power)
  let state = one.state
  node.addEventListener('click', () => ask(device, one, state !== true, node))
  return {
    node,
    update: (news) => {
      state = news.state
      setText(power, powerOf(news))
      setAttribute(node, 'aria-checked', String(news.state === true))
      setAttribute(node, 'data-asked', asked.has(news.id))
      const source =
        news.energySource === 'rated' ? `rated ${watts(news.powerRating)}` : `measured by ${news.energySource}`
      setAttribute(node, 'title', `${stateOf(news.state)}, ${source}, gpio ${news.gpio}`)
    },
  }
}

/** Asks the device; nothing is shown as done until it says so. */
async function ask(device, one, state, node) {
  if (asked.has(one.id)) return
  const giveUp = setTimeout(() => {
    asked.delete(one.id)
    setAttribute(node, 'data-asked', false)
    toast(`${one.name} of ${device.name}: the device did not answer.`)
  }, patienceMs)
  asked.set(one.id, { state, sinceMs: performance.now(), giveUp })
  setAttribute(node, 'data-asked', true)
  const answer = await post('switches', { macAddress: device.macAddress, gpio: one.gpio, state })
  if (answer !== undefined) return
  clearTimeout(giveUp)
  asked.delete(one.id)
  setAttribute(node, 'data-asked', false)
}

/** Whether the device has done what it was asked for. */
function settle(device, one) {
  const question = asked.get(one.id)
  if (question === undefined || question.state !== one.state) return
  clearTimeout(question.giveUp)
  asked.delete(one.id)
  const tookMs = Math.round(performance.now() - question.sinceMs)
  toast(`${one.name} of ${device.name} is ${stateOf(one.state)}: the device answered after ${tookMs} ms.`)
}

function powerOf({ powerW }) {
  return powerW === null ? '' : watts(powerW)
}

function stateOf(state) {
  return state === null ? 'unknown' : state ? 'on' : 'off'
}
