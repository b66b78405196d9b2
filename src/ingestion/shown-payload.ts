import { type JsonToken, jsonTokens } from './json-tokens.js'
import { withoutTerminator } from './terminator.js'

type Form = (value: unknown) => boolean

const isFlag: Form = (value) => typeof value === 'boolean'
const isPin: Form = (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255
const oneOf =
  (...words: readonly string[]): Form =>
  (value) =>
    typeof value === 'string' && words.includes(value)
/** What a message names its device by is a field of its own in the quarantine. */
const isMac: Form = (value) => typeof value === 'string' && /^[0-9A-Fa-f]{2}([:.-]?[0-9A-Fa-f]{2}){5}$/.test(value)

const forms = (form: Form, names: string): [name: string, form: Form][] => names.split(' ').map((name) => [name, form])

const ofRelay = [
  ...forms(isPin, 'gpio relayGpio index physicalPin manualGpio'),
  ...forms(isFlag, 'state value manual_override'),
  ...forms(oneOf('momentary', 'maintained'), 'manualMode'),
]
/** What may be shown: a field's name, and its value if that has this form. */
type Shown = ReadonlyMap<string, Form>

/** Values of few possibilities: whatever else a field holds, a number too, could be a secret that was put into it. */
const shownInMessage: Shown = new Map([
  ...ofRelay,
  ...forms(isMac, 'mac'),
  ...forms(oneOf('switch_event', 'manual_switch'), 'type'),
  ...forms(oneOf('backend', 'manual'), 'source'),
  ...forms(oneOf('backend', 'manual', 'schedule', 'restore', 'unknown'), 'cause'),
  ...forms(oneOf('online', 'offline', 'heartbeat'), 'status'),
])
const shownInRelay: Shown = new Map(ofRelay)
/** Names that say something though their values are not shown. */
const namesAlone = new Set(
  [
    'switches secret hmac userId userName esp32_name classroom device_id switch_state timestamp time heap uptime',
    'uptime_seconds signal_strength free_heap wifi_rssi power_w energy_wh_total sequence_no seq run connection id boot',
    'powerW energyWh voltageV currentA powerFactor temperatureC frequencyHz uptimeMs freeHeapBytes rssiDbm',
    'firmware firmware_ver command reason humidityPercent',
  ].flatMap((names) => names.split(' ')),
)
const hidden = '"***"'
const maximumLength = 4000

/** What a token is in: which of its fields may be shown, none where it is a list, and which field it is the turn of. */
interface Level {
  readonly shown: Shown | 'relays' | 'nothing'
  field: string
}

/**
 * The payload for people's eyes. It is read token by token and not parsed as a whole, because a message that was cut cannot
 * be: names that are known, and values of few possibilities in the fields that have them, are kept. Other names and values,
 * numbers too, whatever is inside them, a value that was cut, and whatever follows what is no JSON are not.
 */
export function shownPayload(payload: Uint8Array): string {
  const beginning = payload.subarray(0, maximumLength)
  const text = withoutTerminator(beginning).toString('utf8')
  if (!/^\s*[{[]/.test(text))
    return /^(online|offline)$/.test(text) ? text : `${payload.byteLength} bytes that are not JSON`
  return shownTokens(text).slice(0, maximumLength)
}

function shownTokens(text: string): string {
  const levels: Level[] = []
  const tokens = jsonTokens(text)
  let shown = ''
  for (let next = tokens.next(); ; next = tokens.next()) {
    if (next.done === true) return next.value === 'wrong' ? `${shown}…` : shown
    const token = next.value
    const level = levels.at(-1)
    if (token.kind === 'open') {
      const opened = { shown: shownIn(level, token.text), field: '' }
      levels.push(opened)
      // Of what is inside a field that is not known nothing is to be seen, not even how much it is.
      if (opened.shown !== 'nothing') shown += token.text
      else if (level?.shown !== 'nothing') shown += hidden
    } else if (level !== undefined) {
      if (token.kind === 'close') levels.pop()
      if (level.shown !== 'nothing') shown += shownToken(token, level)
    }
  }
}

/** What may be shown of an object or a list: the message, its list of relays, and each of those. */
function shownIn(level: Level | undefined, bracket: string): Level['shown'] {
  if (level === undefined) return bracket === '{' ? shownInMessage : 'nothing'
  if (level.shown === 'relays') return bracket === '{' ? shownInRelay : 'nothing'
  return level.shown === shownInMessage && level.field === 'switches' && bracket === '[' ? 'relays' : 'nothing'
}

function shownToken({ kind, text, isCut }: JsonToken, level: Level): string {
  if (kind === 'close' || kind === 'comma' || kind === 'colon') return text
  if (isCut || !(level.shown instanceof Map)) return hidden
  const value: unknown = JSON.parse(text)
  if (kind === 'name') {
    level.field = String(value)
    return level.shown.has(level.field) || namesAlone.has(level.field) ? text : hidden
  }
  // As it is read, not as it is written: `1.6e1` can be written in many ways.
  return level.shown.get(level.field)?.(value) === true ? JSON.stringify(value) : hidden
}
