/** Fields whose values may be shown; every other text value is left out, for it could be a secret. */
const shownFields = new Set([
  'mac',
  'type',
  'gpio',
  'relayGpio',
  'index',
  'state',
  'value',
  'source',
  'timestamp',
  'status',
  'heap',
  'uptime',
  'switches',
  'manual_override',
  'physicalPin',
  'manualGpio',
  'manualMode',
  'userId',
  'userName',
  'esp32_name',
  'classroom',
  'device_id',
  'power_w',
  'energy_wh_total',
  'switch_state',
  'uptime_seconds',
  'firmware_ver',
  'signal_strength',
  'free_heap',
  'wifi_rssi',
  'sequence_no',
  'id',
  'boot',
  'seq',
  'time',
  'cause',
  'powerW',
  'energyWh',
  'voltageV',
  'currentA',
  'powerFactor',
  'temperatureC',
  'frequencyHz',
  'firmware',
  'uptimeMs',
  'freeHeapBytes',
  'rssiDbm',
])
const hidden = '"***"'
const maximumLength = 4000
const token = /"((?:[^"\\]|\\.)*)("?)(\s*:)?|[{}[\],:]|[^\s"{}[\],:]+|\s+/gs

/**
 * The payload for people's eyes. It is read token by token and not parsed, because a message that was cut cannot be parsed:
 * names of fields, and the values of fields that are known to be harmless, are kept; other texts, a text that was cut, and
 * whatever does not look like JSON are not.
 */
export function shownPayload(payload: Uint8Array): string {
  const text = Buffer.from(payload.buffer, payload.byteOffset, Math.min(payload.byteLength, maximumLength)).toString(
    'utf8',
  )
  if (!/^\s*[{[]/.test(text))
    return /^(online|offline)$/.test(text) ? text : `${payload.byteLength} bytes that are not JSON`
  let field = ''
  let shown = ''
  for (const [part, content, closing, colon] of text.matchAll(token)) {
    if (colon !== undefined) {
      field = content ?? ''
      shown += isPlainName(field) ? part : `${hidden}:`
    } else if (content !== undefined) {
      shown += closing === '"' && shownFields.has(field) ? part : hidden
    } else {
      shown += /^[{}[\],:\s]/.test(part) || isPlainValue(part) ? part : hidden
    }
  }
  return shown.slice(0, maximumLength)
}

function isPlainName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_ -]{0,40}$/.test(name)
}

/** Numbers and words of JSON; also those that were cut. */
function isPlainValue(text: string): boolean {
  return /^-?[\d.eE+-]{1,24}$/.test(text) || ['true', 'false', 'null'].some((word) => word.startsWith(text))
}
