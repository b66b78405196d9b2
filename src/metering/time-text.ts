/** What a text says of time: an instant, or a local time that has to be read in a zone. */
export type TimeText =
  | { readonly kind: 'instant'; readonly ms: number }
  /** `YYYY-MM-DDTHH:mm:ss`, with a fraction if the text has one. */
  | { readonly kind: 'local'; readonly text: string }

/** RFC 3339, section 5.6, with a space allowed for the T, and the zone left out for a local time. */
const GRAMMAR =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))[Tt ]((?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d|60)(?:\.(\d+))?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)?$/
const LONGEST_TEXT = 64
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/**
 * The time in a text of RFC 3339: T or a space between date and time, T and Z in either case, the zone optional. Undefined
 * for any other text: what has another form is not a time. Fractions are cut to milliseconds.
 * A leap second, which only an instant can show to be one, is the first second of the next day.
 */
export function parseTimeText(text: string): TimeText | undefined {
  const match = text.length <= LONGEST_TEXT ? GRAMMAR.exec(text) : null
  if (match === null) return undefined
  const [, day = '', minute = '', second = '', fraction, zone] = match
  if (!isCivilDay(day)) return undefined
  if (zone === undefined) {
    const local = `${day}T${minute}:${second}`
    if (second === '60') return undefined
    return { kind: 'local', text: fraction === undefined ? local : `${local}.${fraction.slice(0, 9)}` }
  }
  const minuteMs = Date.parse(`${day}T${minute}:00${zone.toUpperCase()}`)
  if (second === '60' && !endsDay(minuteMs)) return undefined
  return {
    kind: 'instant',
    ms: minuteMs + Number(second) * 1_000 + Number((fraction ?? '').slice(0, 3).padEnd(3, '0')),
  }
}

/** Whether the minute is the last one of a day of UTC: only there can a leap second be. */
function endsDay(minuteMs: number): boolean {
  return (minuteMs + MINUTE_MS) % DAY_MS === 0
}

/** Whether a text YYYY-MM-DD is a day: February 30 is none, although some platforms read it as one in March. */
export function isCivilDay(day: string): boolean {
  const ms = Date.parse(`${day}T00:00:00Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day)
}
