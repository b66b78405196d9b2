import { get, onPress } from './api.js'
import { commandRow } from './command-row.js'
import { byId, element, KeyedList, setAttribute, setText } from './dom.js'
import { ago, count, dayAndTime, watts, words } from './format.js'
import { rowList } from './rows.js'
import { soon } from './soon.js'

let openId = null

const commands = new KeyedList(byId('device-commands'), ({ id }) => id, commandRow)
const history = rowList(byId('device-history'), ({ on, name, at, sequence }) => ({
  state: on ? 'on' : 'off',
  text: name,
  at,
  note: `entry ${sequence}`,
}))
const schedules = rowList(byId('device-schedules'), ({ enabled, name, target, nextAt, problem }) => ({
  state: enabled ? 'next' : 'disabled',
  text: `${name}: ${target}`,
  at: nextAt,
  note: problem,
}))
const installs = rowList(byId('device-installs'), ({ status, at, reason }) => ({
  state: status,
  text: reason ?? '',
  at,
}))
const log = rowList(byId('device-log'), ({ kind, level, message, at }) => ({
  state: level,
  text: words(kind),
  at,
  note: message,
}))

/** Shows one device, and keeps it up to date until it is closed. */
export async function openDevicePage(id) {
  openId = id
  await read()
  if (openId !== id) return
  byId('device').scrollIntoView()
  byId('device').focus({ preventScroll: true })
}

/** Something has changed that the page may show: it is read again soon, once for many changes. */
export const refreshDevicePage = soon(read)

async function read() {
  const id = openId
  if (id === null) return
  const device = await get(`device?id=${encodeURIComponent(id)}`)
  if (device === undefined || openId !== id) return
  show(device)
}

function show(device) {
  byId('device').hidden = false
  setAttribute(byId('device'), 'data-device', device.id)
  setText(byId('device-title'), device.name)
  setText(
    byId('device-note'),
    `${words(device.type)} · ${device.macAddress} · firmware ${device.firmware ?? 'unknown'}`,
  )
  byId('device-facts').replaceChildren(...factsOf(device).map(factOf))
  setText(byId('device-statistics'), device.statistics.map(statisticsText).join('; ') || 'none of late')
  commands.sync(device.commands)
  history.sync(device.history)
  schedules.sync(device.schedules)
  installs.sync(device.installs)
  log.sync(device.log)
}

function factsOf({ status, isOnline, lastSeenAt, ratedPowerW, telemetry, board }) {
  const { uptimeSeconds, freeHeapBytes, signalStrengthDbm } = telemetry ?? {}
  return [
    ['status', isOnline ? 'online' : status],
    ['last seen', lastSeenAt === null ? 'never' : ago(lastSeenAt)],
    ['on, rated', watts(ratedPowerW)],
    ['board', board ?? 'unknown'],
    ['up since', uptimeSeconds === undefined ? '–' : dayAndTime(Date.now() - uptimeSeconds * 1000)],
    ['free memory', freeHeapBytes === undefined ? '–' : `${count(freeHeapBytes / 1000)} kB`],
    ['signal', signalStrengthDbm === undefined ? '–' : `${signalStrengthDbm} dBm`],
  ]
}

function factOf([name, value]) {
  return element('div', {}, element('dt', {}, name), element('dd', {}, value))
}

function statisticsText({ command, succeeded, failed, expired, meanLatencyMs }) {
  const mean = meanLatencyMs === null ? '' : `, ${count(meanLatencyMs)} ms on average`
  return `${words(command)}: ${succeeded} succeeded, ${failed + expired} failed${mean}`
}

onPress(byId('device-close'), async () => {
  openId = null
  byId('device').hidden = true
})
