import { agoText } from './ago.js'
import { post } from './api.js'
import { openDevicePage } from './device-page.js'
import { byId, element, KeyedList, setAttribute, setText } from './dom.js'
import { watts, words } from './format.js'
import { toast } from './toast.js'

/** After that not even the queue waits any more. */
const patienceMs = 45_000
/** What was asked of switches and not answered yet, by the switch's id. */
const asked = new Map()
/** The kind that is shown; all where it is null. */
let shownKind = null
let shown = []

const list = new KeyedList(byId('device-list'), ({ id }) => id, createDevice)

export function showDevices(devices) {
  for (const device of devices) for (const one of device.switches) settle(device, one)
  shown = devices
  showKinds()
  const online = devices.filter(({ status }) => status === 'online').length
  const chip = byId('chip-devices')
  setText(chip, `${online} of ${devices.length} online`)
  setAttribute(chip, 'data-mood', online === devices.length ? 'good' : 'wait')
}

/** The kinds with how many there are; the list has the devices of the chosen one. */
function showKinds() {
  const kinds = [...new Set(shown.map(({ type }) => type))].toSorted()
  const choices = [{ kind: null, label: `all ${shown.length}` }].concat(
    kinds.map((kind) => ({ kind, label: `${words(kind)} ${shown.filter(({ type }) => type === kind).length}` })),
  )
  kindList.sync(choices)
  list.sync(shown.filter(({ type }) => shownKind === null || type === shownKind))
}

const kindList = new KeyedList(
  byId('kinds'),
  ({ kind }) => kind ?? 'all',
  ({ kind }) => {
    const choose = () => {
      shownKind = kind
      showKinds()
    }
    const node = element('button', { type: 'button', 'data-kind': kind ?? 'all', onclick: choose })
    return {
      node,
      update: ({ label }) => {
        setText(node, label)
        setAttribute(node, 'aria-pressed', String(kind === shownKind))
      },
    }
  },
)

/** What the last commands to switches have come to. */
export function settleCommands(commands) {
  for (const [id, question] of asked) {
    const command = commands.find((one) => one.id === question.command)
    if (command === undefined) continue
    const { status, reason, detail, names, latencyMs } = command
    show(question, status)
    if (['queued', 'sent', 'acknowledged'].includes(status)) continue
    forget(id, question)
    const why = detail ?? words(reason ?? status)
    const text = status === 'succeeded' ? `the device answered after ${latencyMs} ms` : `${status}, ${why}`
    toast(`${names.switch} of ${names.device}: ${text}.`)
  }
}

/** How far the command is, beside the name of the switch. */
function show({ node }, status) {
  setAttribute(node, 'data-command', status)
  setText(node.querySelector('.progress'), status)
}

function forget(id, question) {
  clearTimeout(question.giveUp)
  asked.delete(id)
  setAttribute(question.node, 'data-asked', false)
  setText(question.node.querySelector('.progress'), '')
}

const protocols = { deployed: 'WARP', v2: 'v2' }

function createDevice(device) {
  const seen = agoText()
  const open = element(
    'button',
    { type: 'button', class: 'link', onclick: () => openDevicePage(device.id) },
    device.name,
  )
  const title = element('h3', { title: `${device.name}, ${device.macAddress}` }, open)
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
      device.isOnline = status === 'online'
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
    return { node, update: (news) => setText(power, powerOf(device, news)) }
  }
  const node = element(
    'button',
    {
      class: 'pill',
      type: 'button',
      role: 'switch',
      'data-switch': one.id,
      'aria-label': `${one.name} of ${device.name}`,
    },
    name,
    power,
    element('small', { class: 'progress' }),
  )
  let state = one.state
  node.addEventListener('click', () => ask(device, one, state !== true, node))
  return {
    node,
    update: (news) => {
      state = news.state
      setText(power, powerOf(device, news))
      setAttribute(node, 'aria-checked', String(news.state === true))
      setAttribute(node, 'data-asked', asked.has(news.id))
      node.disabled = device.mayControl === false || !device.isOnline
      const limits =
        device.mayControl === false ? ', not yours to switch' : device.isOnline ? '' : ', its device is offline'
      const source =
        news.energySource === 'rated' ? `rated ${watts(news.powerRating)}` : `measured by ${news.energySource}`
      setAttribute(node, 'title', `${stateOf(news.state)}, ${source}, gpio ${news.gpio}${limits}`)
    },
  }
}

/** Asks the device; nothing is shown as done until it says so. */
async function ask(device, one, state, node) {
  if (asked.has(one.id)) return
  const question = { state, sinceMs: performance.now(), node, command: null }
  question.giveUp = setTimeout(() => {
    forget(one.id, question)
    toast(`${one.name} of ${device.name}: the device did not answer.`)
  }, patienceMs)
  asked.set(one.id, question)
  setAttribute(node, 'data-asked', true)
  const answer = await post('switches', { macAddress: device.macAddress, gpio: one.gpio, state })
  if (answer === undefined) forget(one.id, question)
  else question.command = answer.id
}

/** Whether the device has done what it was asked for. */
function settle(device, one) {
  const question = asked.get(one.id)
  if (question === undefined || question.state !== one.state) return
  forget(one.id, question)
  const tookMs = Math.round(performance.now() - question.sinceMs)
  toast(`${one.name} of ${device.name} is ${stateOf(one.state)}: the device answered after ${tookMs} ms.`)
}

/** What a device that is away last reported is not what it takes now. */
function powerOf({ isOnline }, { powerW }) {
  return powerW === null || !isOnline ? '' : watts(powerW)
}

function stateOf(state) {
  return state === null ? 'unknown' : state ? 'on' : 'off'
}
