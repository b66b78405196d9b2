import { drawBars } from './bars.js'
import { byId, element, setText } from './dom.js'
import { day, dayOfMonth, energy, month } from './format.js'
import { colourAt, themeColour } from './palette.js'
import { showPrices } from './prices.js'

const labelledHours = 3
const highest = 3
let last = null

export function showEnergy(news) {
  last = news
  const isEmpty = news.month.days.length === 0
  byId('energy-empty').hidden = !isEmpty
  byId('energy-body').hidden = isEmpty
  if (isEmpty) return
  showDay(news.day)
  showMonth(news.month)
  showPeakHours(news.peakHours, news.month)
  showPrices(news)
}

function showDay({ day: today, rooms }) {
  const used = rooms.map((room, index) => ({ ...room, colour: colourAt(index) }))
  const total = sum(used.map(({ hours }) => sum(hours)))
  const produced = sum(used.map(({ productionKwh }) => productionKwh))
  setText(byId('day-title'), `${day(today)}, by hour and classroom`)
  setText(
    byId('day-total'),
    [`${energy(total)} used`, produced > 0 ? `${energy(produced)} produced` : ''].filter(Boolean).join(', '),
  )
  const shown = used.filter(({ hours }) => sum(hours) > 0)
  const columns = hoursOfDay().map((hour) => {
    const parts = shown.map(({ hours, colour }) => ({ value: hours[hour] ?? 0, colour }))
    const rows = shown.filter(({ hours }) => hours[hour] > 0).map(({ name, hours }) => `${name} ${energy(hours[hour])}`)
    const title = [`${clock(hour)}: ${energy(sum(parts.map(({ value }) => value)))}`, ...rows].join('\n')
    return { label: hourLabel(hour), title, parts }
  })
  drawBars(byId('day-bars'), columns, energy)
  byId('day-rooms').replaceChildren(...shown.map(({ name, colour }) => legend(name, colour)))
}

function legend(name, colour) {
  const swatch = element('span', { class: 'swatch' })
  swatch.style.background = colour
  return element('li', {}, swatch, name)
}

function showMonth({ from, to, days }) {
  const byDay = new Map(days.map((one) => [one.day, one.energyKwh]))
  setText(byId('month-title'), `${month(from)}, by day`)
  setText(byId('month-total'), `${energy(sum([...byDay.values()]))} up to ${day(to)}`)
  const columns = daysOfMonth(from).map((date) => {
    const value = byDay.get(date) ?? 0
    const number = dayOfMonth(date)
    const title = date > to ? `${day(date)}: still to come` : `${day(date)}: ${energy(value)}`
    return {
      label: number === 1 || number % 5 === 0 ? number : '',
      title,
      parts: [{ value, colour: themeColour('accent') }],
    }
  })
  drawBars(byId('month-bars'), columns, energy)
}

/** The hours come with the highest first. */
function showPeakHours(hours, { from }) {
  const byHour = new Map(hours.map(({ hour, energyKwh }) => [hour, energyKwh]))
  const peaks = hours.slice(0, highest).map(({ hour }) => hour)
  setText(byId('peak-title'), `Peak hours of ${month(from)}`)
  setText(byId('peak-hours'), peaks.map((hour) => `${clock(hour)}–${clock(hour + 1)}`).join(', '))
  const columns = hoursOfDay().map((hour) => {
    const value = byHour.get(hour) ?? 0
    const colour = peaks.includes(hour) ? themeColour('lit') : themeColour('accent')
    return {
      label: hourLabel(hour),
      title: `${clock(hour)}–${clock(hour + 1)}: ${energy(value)}`,
      parts: [{ value, colour }],
    }
  })
  drawBars(byId('peak-bars'), columns, energy)
}

function hoursOfDay() {
  return Array.from({ length: 24 }, (_, hour) => hour)
}

function daysOfMonth(first) {
  const [year, number] = first.split('-').map(Number)
  const days = new Date(Date.UTC(year, number, 0)).getUTCDate()
  return Array.from({ length: days }, (_, at) => `${first.slice(0, 8)}${String(at + 1).padStart(2, '0')}`)
}

function hourLabel(hour) {
  return hour % labelledHours === 0 ? clock(hour).slice(0, 2) : ''
}

function clock(hour) {
  return `${String(hour).padStart(2, '0')}:00`
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0)
}

// The colours of the bars are those of the style sheet when they were drawn.
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => last !== null && showEnergy(last))
