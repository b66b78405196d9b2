const plain = (digits) => new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
const whole = plain(0)
const one = plain(1)
const two = plain(2)
const three = plain(3)
const clockIn = (timeZone) =>
  new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', timeZone })
let clock = clockIn('UTC')
const dayClockIn = (timeZone) =>
  new Intl.DateTimeFormat('en-GB', {
    weekday: 'short',
    day: '2-digit',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    timeZone,
  })
let dayClock = dayClockIn('UTC')
const significant = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 })
const dayName = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'long', timeZone: 'UTC' })
const monthName = new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' })

export function count(value) {
  return whole.format(value)
}

export function bytes(value) {
  return value < 1e6 ? `${one.format(value / 1e3)} kB` : `${one.format(value / 1e6)} MB`
}

export function perSecond(value) {
  return one.format(value)
}

export function watts(value) {
  if (value === null || value === undefined) return '–'
  const text = Math.abs(value) < 1000 ? `${whole.format(value)} W` : `${two.format(value / 1000)} kW`
  return text.replace('-', '−')
}

export function kilowattHours(value) {
  if (value === 0) return '0 Wh'
  return value < 1 ? `${one.format(value * 1000)} Wh` : `${three.format(value)} kWh`
}

/** As {@link kilowattHours}, short and always in kWh, for sums and scales. */
export function energy(kwh) {
  return `${significant.format(kwh)} kWh`
}

export function money(value, currency) {
  if (value === null || currency === null || currency === undefined) return '–'
  return new Intl.NumberFormat('en-IN', { style: 'currency', currency }).format(value)
}

export function pricePerKwh(value, currency) {
  return value === null ? '–' : `${money(value, currency)}/kWh`
}

/** Times are those of the site, wherever the page is looked at. */
export function showTimesIn(timeZone) {
  clock = clockIn(timeZone)
  dayClock = dayClockIn(timeZone)
}

export function timeOfDay(instant) {
  return clock.format(new Date(instant))
}

/** An energy that came as an exact decimal. */
export function exactKwh(text) {
  return `${Number(text).toFixed(3)} kWh`
}

/** A text of the library's, whose instants are in UTC, with times of the site. */
export function withTimes(text) {
  return text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, timeOfDay)
}

/** An instant as a day and a time of the site. */
export function dayAndTime(instant) {
  return dayClock.format(new Date(instant))
}

/** A civil day, `YYYY-MM-DD`, in words. */
export function day(text) {
  return dayName.format(new Date(`${text}T00:00:00Z`))
}

/** The month of a civil day, in words. */
export function month(text) {
  return monthName.format(new Date(`${text}T00:00:00Z`))
}

export function dayOfMonth(text) {
  return Number(text.slice(8))
}

export function ago(instant) {
  const seconds = Math.max(0, Math.round((Date.now() - new Date(instant).getTime()) / 1000))
  if (seconds < 100) return `${seconds} s ago`
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min ago`
  return `${Math.round(seconds / 3_600)} h ago`
}

export function duration(seconds) {
  return seconds < 100 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`
}

/** `unknown_device` becomes `unknown device`. */
export function words(name) {
  return name.replaceAll('_', ' ')
}
