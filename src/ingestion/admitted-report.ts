import { z } from 'zod'
import { compiled } from '../core/compiled-schema.js'
import { isRecord } from '../core/is-record.js'
import { normalizeMacAddress } from '../devices/mac-address.js'
import { parseTimeText } from '../metering/index.js'
import type {
  Credential,
  DeviceReport,
  DeviceTime,
  GivenReport,
  HeartbeatReport,
  Relay,
  ReportedDevice,
  Unusable,
  Vitals,
} from './report.js'
import { UsableValues } from './usable-values.js'

/** A text that is stored as it is: half of a surrogate pair would come back as another character. */
const text = (maximum: number) =>
  z
    .string()
    .min(1)
    .max(maximum)
    .refine((value) => !/\p{Surrogate}/u.test(value))
const absent = (value: unknown) => (value === null ? undefined : value)
const optional = <Schema extends z.ZodType>(schema: Schema) => z.preprocess(absent, schema.optional())

const base = {
  device: z.union([z.object({ macAddress: z.string().max(64) }), z.object({ deviceId: z.string().max(64) })]),
  credential: z.custom<Credential>((value) => typeof value === 'object' && value !== null),
  time: z.unknown().optional(),
  boot: optional(text(64)),
  sequence: z.unknown().optional(),
  run: z.unknown().optional(),
  messageId: optional(text(128)),
  firmwareVersion: z.unknown().optional(),
  vitals: z.unknown().optional(),
}
const gpio = z.int().min(0).max(255)
const relay = z.object({ gpio, on: z.boolean(), manualOverride: z.unknown().optional() })
const maximumRelays = 64

const givenReport = z.discriminatedUnion('kind', [
  z.object({ ...base, kind: z.literal('snapshot'), switches: z.array(z.unknown()).max(maximumRelays) }),
  z.object({
    ...base,
    kind: z.literal('switch'),
    gpio,
    on: z.boolean(),
    cause: z.unknown().optional(),
    userId: z.unknown().optional(),
    userName: z.unknown().optional(),
    command: z.unknown().optional(),
  }),
  z.object({ ...base, kind: z.literal('refusal'), command: text(64), detail: z.unknown().optional() }),
  z.object({
    ...base,
    kind: z.literal('install_failure'),
    rollout: z.string().regex(/^[0-9a-f]{24}$/),
    detail: z.unknown().optional(),
  }),
  z.object({
    ...base,
    kind: z.literal('reading'),
    gpio,
    on: z.unknown().optional(),
    powerW: z.unknown().optional(),
    energyWh: z.unknown().optional(),
    voltage: z.unknown().optional(),
    current: z.unknown().optional(),
    powerFactor: z.unknown().optional(),
    frequency: z.unknown().optional(),
    temperature: z.unknown().optional(),
  }),
  z.object({ ...base, kind: z.literal('heartbeat') }),
  z.object({ ...base, kind: z.literal('status'), online: z.boolean(), connection: z.unknown().optional() }),
])
type Parsed = z.output<typeof givenReport>

/** Whether it is a relay's number and state. */
export function isRelay(value: unknown): value is Relay {
  return compiled(relay).safeParse(value).success
}

/**
 * A report of any decoder as the library takes it: identities in one spelling, null for not reported, values that cannot be
 * used left out and named. @returns why it cannot be taken, if what it is about is missing or not as expected.
 */
export function admittedReport(given: GivenReport): DeviceReport | Unusable {
  const result = compiled(givenReport).safeParse(given)
  if (!result.success) {
    const fields = [...new Set(result.error.issues.map(({ path }) => String(path[0] ?? 'the report')))]
    return { reason: 'invalid', detail: `missing or not as expected: ${fields.join(', ')}` }
  }
  const values = new UsableValues()
  const report = reportOf(result.data, commonOf(result.data, values), values)
  return values.leftOut.length === 0 ? report : { ...report, leftOut: values.leftOut }
}

type Common = Omit<HeartbeatReport, 'kind'>

function commonOf(given: Parsed, values: UsableValues): Common {
  const { credential, boot, messageId } = given
  return {
    device: inOneSpelling(given.device),
    credential,
    boot,
    messageId,
    sequence: values.take('sequence', given.sequence),
    run: values.take('run', given.run),
    time: timeOf(given.time, values),
    firmwareVersion: values.take('firmwareVersion', given.firmwareVersion),
    vitals: vitalsOf(given.vitals, values),
  }
}

function vitalsOf(given: unknown, values: UsableValues): Vitals | undefined {
  if (!isRecord(given)) return undefined
  const vitals = {
    uptimeSeconds: values.take('uptimeSeconds', given.uptimeSeconds),
    signalStrength: values.take('signalStrength', given.signalStrength),
    freeHeap: values.take('freeHeap', given.freeHeap),
    temperature: values.take('temperature', given.temperature),
    humidity: values.take('humidity', given.humidity),
    status: values.take('status', given.status),
  }
  return Object.values(vitals).every((value) => value === undefined) ? undefined : vitals
}

/** What all reports have is spread last: spread first it takes eight microseconds, for the engine adds the rest one by one. */
function reportOf(given: Parsed, common: Common, values: UsableValues): DeviceReport {
  switch (given.kind) {
    case 'snapshot':
      return { kind: given.kind, ...relaysOf(given.switches), ...common }
    case 'switch': {
      const { kind, gpio, on } = given
      const cause = values.take('cause', given.cause) ?? 'unknown'
      const userId = values.take('userId', given.userId)
      const command = values.take('command', given.command)
      return { kind, gpio, on, cause, userId, userName: values.take('userName', given.userName), command, ...common }
    }
    case 'refusal':
      return { kind: given.kind, command: given.command, detail: values.take('detail', given.detail), ...common }
    case 'install_failure':
      return { kind: given.kind, rollout: given.rollout, detail: values.take('detail', given.detail), ...common }
    case 'reading':
      return {
        kind: given.kind,
        gpio: given.gpio,
        on: values.take('on', given.on),
        powerW: values.take('powerW', given.powerW),
        energyWh: values.take('energyWh', given.energyWh),
        voltage: values.take('voltage', given.voltage),
        current: values.take('current', given.current),
        powerFactor: values.take('powerFactor', given.powerFactor),
        frequency: values.take('frequency', given.frequency),
        temperature: values.take('temperature', given.temperature),
        ...common,
      }
    case 'status':
      return {
        kind: given.kind,
        online: given.online,
        connection: values.take('connection', given.connection),
        ...common,
      }
    case 'heartbeat':
      return { kind: given.kind, ...common }
  }
}

/** The relays that can be used; one whose two states contradict each other is none. */
function relaysOf(given: readonly unknown[]) {
  const relays = given.map((one) => (isRelay(one) ? relayOf(one) : undefined))
  const states = new Map<number, Set<boolean>>()
  for (const one of relays) if (one !== undefined) states.set(one.gpio, (states.get(one.gpio) ?? new Set()).add(one.on))
  const usable = relays.map((one) => (one !== undefined && states.get(one.gpio)?.size === 1 ? one : undefined))
  const unusable = [...usable.keys()].filter((at) => usable[at] === undefined)
  return {
    switches: usable.filter((one) => one !== undefined),
    unusableSwitches: unusable.length === 0 ? undefined : unusable,
  }
}

/** Who has the last word is beside the point: what is none is not reported. */
function relayOf({ gpio, on, manualOverride }: Relay): Relay {
  return typeof manualOverride === 'boolean' ? { gpio, on, manualOverride } : { gpio, on }
}

/** What a device is called in one way only: keys are made of it. */
function inOneSpelling(device: ReportedDevice): ReportedDevice {
  if ('deviceId' in device) return { deviceId: device.deviceId.toLowerCase() }
  return { macAddress: normalizeMacAddress(device.macAddress) ?? device.macAddress }
}

/** The device's time, if it is one: epoch milliseconds, a text of RFC 3339, or what the decoder has made of it. */
function timeOf(given: unknown, values: UsableValues): DeviceTime | undefined {
  if (given === undefined || given === null || given === '') return undefined
  if (typeof given === 'number') return { kind: 'instant', ms: given }
  const result = compiled(deviceTime).safeParse(given)
  const text = typeof given === 'string' ? given : result.data?.kind === 'local' ? result.data.text : undefined
  const time = text === undefined ? result.data : parseTimeText(text)
  if (time === undefined) values.leftOut.push('time')
  return time
}

const deviceTime = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('instant'), ms: z.number() }),
  z.object({ kind: z.literal('local'), text: z.string() }),
  z.object({
    kind: z.literal('uptime'),
    ms: z
      .number()
      .min(0)
      .max(2 ** 32),
  }),
])
