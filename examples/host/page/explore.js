import { get } from './api.js'
import { drawBars } from './bars.js'
import { byId, element, setText } from './dom.js'
import { day, dayAndTime, dayOfMonth, energy, money, month, watts } from './format.js'
import { themeColour } from './palette.js'

const picker = { period: byId('explore-period'), day: byId('explore-day'), room: byId('explore-room') }
const readAgainAfterMs = 30_000
let shown = null
let outlook = null
let readAtMs = Number.NEGATIVE_INFINITY

for (const input of Object.values(picker)) input.addEventListener('change', () => refresh())
byId('explore-before').addEventListener('click', () => step(-1))
byId('explore-after').addEventListener('click', () => step(1))

/** The roll-ups have changed. What is shown is read again, but not with each change. */
export function followEnergy(today) {
  if (picker.day.value === '') picker.day.value = today
  picker.day.max = today
  if (performance.now() - readAtMs > readAgainAfterMs) refresh()
}

/** Rooms come and go; what is chosen stays. */
export function setRooms(rooms) {
  const known = new Set([...picker.room.options].map(({ value }) => value))
  for (const { id, name } of rooms) {
    if (!known.has(id)) picker.room.append(element('option', { value: id }, name))
  }
}

async function refresh() {
  const { period, day: chosen, room } = picker
  if (chosen.value === '') return
  readAtMs = performance.now()
  const ofRoom = room.value === '' ? {} : { room: room.value }
  const [next, ahead] = await Promise.all([
    get(`energy/period?${new URLSearchParams({ period: period.value, day: chosen.value, ...ofRoom })}`),
    get(`energy/outlook?${new URLSearchParams(ofRoom)}`),
  ])
  shown = next ?? shown
  outlook = ahead ?? outlook
  draw()
}

function step(by) {
  const at = new Date(`${picker.day.value}T00:00:00Z`)
  if (picker.period.value === 'day') at.setUTCDate(at.getUTCDate() + by)
  else if (picker.period.value === 'year') at.setUTCFullYear(at.getUTCFullYear() + by, at.getUTCMonth(), 1)
  else at.setUTCMonth(at.getUTCMonth() + by, 1)
  const [earlier] = [at.toISOString().slice(0, 10), picker.day.max].sort()
  picker.day.value = earlier
  refresh()
}

function draw() {
  if (shown !== null) drawPeriod(shown)
  if (outlook !== null) drawOutlook(outlook)
}

function drawPeriod({ period, from, to, points, energyKwh, cost, currency, changePercent, consumers }) {
  const room = picker.room.selectedOptions[0]?.textContent ?? ''
  setText(byId('explore-title'), `${titleOf[period](from)}: ${room}`)
  const isEmpty = energyKwh === 0
  byId('explore-empty').hidden = !isEmpty
  byId('explore-bars').hidden = isEmpty
  const change = changePercent === null ? '' : `, ${signed(changePercent)} % to the ${period} before`
  setText(byId('explore-total'), isEmpty ? '' : `${energy(energyKwh)}, ${money(cost, currency)}${change}`)
  const byPoint = new Map(points.map((one) => [one.at, one.energyKwh]))
  const columns = slotsOf[period](from, to).map(({ at, label, name }) => {
    const value = byPoint.get(at) ?? 0
    return { label, title: `${name}: ${energy(value)}`, parts: [{ value, colour: themeColour('accent') }] }
  })
  drawBars(byId('explore-bars'), columns, energy)
  const rows = consumers.map(({ name, energyKwh: used, sharePercent }) =>
    element('li', { class: 'row' }, name, element('span', { class: 'note' }, `${energy(used)}${share(sharePercent)}`)),
  )
  fill('explore-consumers', rows, 'No device has used anything here.')
}

const titleOf = { day, month, year: (from) => from.slice(0, 4) }

const slotsOf = {
  day: () =>
    Array.from({ length: 24 }, (_, hour) => {
      const clock = String(hour).padStart(2, '0')
      return { at: String(hour), label: hour % 3 === 0 ? clock : '', name: `${clock}:00` }
    }),
  month: (from, to) =>
    Array.from({ length: dayOfMonth(to) }, (_, index) => {
      const at = `${from.slice(0, 8)}${String(index + 1).padStart(2, '0')}`
      return { at, label: index === 0 || (index + 1) % 5 === 0 ? index + 1 : '', name: day(at) }
    }),
  year: (from) =>
    Array.from({ length: 12 }, (_, index) => {
      const at = `${from.slice(0, 5)}${String(index + 1).padStart(2, '0')}`
      return { at, label: month(`${at}-01`).slice(0, 3), name: month(`${at}-01`) }
    }),
}

function drawOutlook({ days, errorPercent, anomalies, idle, comparedWeeks }) {
  const known = days.filter(({ energyKwh }) => energyKwh !== null)
  byId('forecast-bars').hidden = known.length === 0
  setText(byId('forecast-note'), forecastNote(known.length, errorPercent))
  const columns = days.map(({ at, energyKwh }) => ({
    label: day(at).slice(0, 3),
    title: energyKwh === null ? `${day(at)}: no such weekday is known yet` : `${day(at)}: about ${energy(energyKwh)}`,
    parts: [{ value: energyKwh ?? 0, colour: themeColour('lit') }],
  }))
  drawBars(byId('forecast-bars'), columns, energy)
  const odd = anomalies.map(({ room, start, powerW, expectedPowerW }) => {
    const figures = `${watts(powerW)} where ${watts(expectedPowerW)} are usual`
    return element('li', { class: 'row' }, `${room}, ${dayAndTime(start)}`, element('span', { class: 'note' }, figures))
  })
  fill(
    'anomalies',
    odd,
    `No hour of this month stands out. Each is compared with the same hour of the ${comparedWeeks} weeks before, once these are known.`,
  )
  const idling = idle
    .filter(({ energyKwh }) => energyKwh > 0)
    .map(({ room, floorPowerW, energyKwh, percent }) => {
      const figures = `${energy(energyKwh)}${share(percent)} at ${watts(floorPowerW)}`
      return element('li', { class: 'row' }, room, element('span', { class: 'note' }, figures))
    })
  fill('idle-use', idling, 'Nothing is used while nothing goes on.')
}

function forecastNote(known, errorPercent) {
  if (known === 0) return 'A forecast needs a week of days.'
  if (errorPercent === null) return 'the mean of the same weekdays before'
  return `the mean of the same weekdays before; off by ${Math.round(errorPercent)} % on days that are known`
}

function fill(id, rows, none) {
  byId(id).replaceChildren(...(rows.length > 0 ? rows : [element('li', { class: 'note' }, none)]))
}

function share(percent) {
  return percent === null ? '' : ` (${Math.round(percent)} %)`
}

function signed(value) {
  return `${value < 0 ? '−' : '+'}${Math.abs(Math.round(value))}`
}

// The colours of the bars are those of the style sheet when they were drawn.
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw)
