import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import { ValidationError } from '../core/errors.js'
import { objectId } from '../core/fields.js'
import { requireData } from '../core/repository/data.js'
import { typeName, validateData } from '../core/validate.js'
import type { Capability, Device, DeviceSwitch } from '../devices/device.js'
import { openWord } from '../devices/device-fields.js'
import { relaysOf } from '../devices/device-state.js'
import { commandPriorities, type DeviceCommand, parameterValues, requesterFields } from './command.js'
import { slotOf } from './slot.js'

const millisecond = z.int().min(1)

const optionFields = {
  /** The switch, by its id, or by its pin. */
  switch: z.union([z.int().min(0).max(255), objectId()]).optional(),
  priority: z.enum(commandPriorities).default('normal'),
  /** How often it is sent at most. */
  attempts: z.int().min(1).max(20).optional(),
  expiresInMs: millisecond.max(30 * 86_400_000).default(600_000),
  correlationId: z.string().min(1).max(100).optional(),
  idempotencyKey: z.string().min(1).max(200).optional(),
  requester: requesterFields().optional(),
}
export const commandOptions = z.strictObject(optionFields)
export const executeOptions = z.strictObject({
  ...optionFields,
  expiresInMs: z.undefined().optional(),
  timeoutMs: millisecond.max(3_600_000).optional(),
})

export interface CommandOptions {
  /** Which switch, by its id or its pin; may be left out for a device with one. */
  readonly switch?: ObjectId | string | number
  /** @default 'normal' */
  readonly priority?: (typeof commandPriorities)[number]
  /** How often it is sent at most. @default 3; 1 for an action, which may not be repeated */
  readonly attempts?: number
  /** After which time it is not sent any more. @default 600_000 */
  readonly expiresInMs?: number
  /** Names commands that belong together. */
  readonly correlationId?: string
  /** The same key and device again is the same command, for thirty days. */
  readonly idempotencyKey?: string
  /** Who asked: for the record, and for the device. */
  readonly requester?: { readonly user?: ObjectId | string; readonly name?: string; readonly source?: string }
}

type ParsedOptions = z.output<typeof commandOptions>
type Parameters = Readonly<Record<string, unknown>>

/** ms that a command of a priority goes before others. An old one of a low priority is sent before a new one of a high. */
const headStartMs = { low: 0, normal: 10_000, high: 60_000, critical: 300_000 } as const
const usualAttempts = 3

/** What a command is stored as before its stamps, and before it is queued or sent. */
export type PreparedCommand = Omit<DeviceCommand, '_id' | 'createdAt' | 'updatedAt' | '__v'>

/**
 * A command as it is queued.
 * @throws ValidationError for a command or parameters that the device's capabilities do not have.
 */
export function prepareCommand(
  device: Device,
  name: string,
  given: Parameters,
  options: ParsedOptions,
  now: Date,
): PreparedCommand {
  const command = validateData(openWord(), name, 'The command')
  requireData('The command', 'parameters', given)
  const parameters = validateData(parameterValues(), given, 'The parameters')
  const order = command === 'turn_on' || command === 'turn_off' ? switchOrder : valueOrder
  const { priority, expiresInMs, correlationId, idempotencyKey, requester } = options
  const { attempts = usualAttempts, ...about } = order(device, command, parameters, options)
  return {
    device: device._id,
    slot: slotOf(device._id),
    protocol: device.protocol,
    command,
    parameters,
    ...about,
    status: 'queued',
    isOpen: true,
    isUnderWay: false,
    priority,
    rankAt: new Date(now.getTime() - headStartMs[priority]),
    attempts: 0,
    maximumAttempts: options.attempts ?? attempts,
    expiresAt: new Date(now.getTime() + expiresInMs),
    correlationId,
    idempotencyKey,
    requester,
  }
}

interface Order extends Pick<PreparedCommand, 'target' | 'switchId' | 'gpio' | 'state'> {
  readonly attempts?: number
}

/** `turn_on` and `turn_off` move a switch to a state: to be told twice changes nothing. */
function switchOrder(device: Device, command: string, { power, ...others }: Parameters, options: ParsedOptions): Order {
  const state = command === 'turn_on'
  if (power !== undefined && power !== state)
    throw wrong('parameters.power', `is to be ${state}, as the command says`, power)
  requireValues(device, others)
  const { _id, gpio } = switchOf(device, options.switch)
  return { target: `switch:${gpio}`, switchId: _id, gpio, state }
}

/** Any other command is an action of the device, or sets values of it. */
function valueOrder(device: Device, command: string, parameters: Parameters, options: ParsedOptions): Order {
  const action = device.capabilities.find(({ name, type }) => name === command && type === 'action')
  const names = Object.keys(parameters)
  if (action === undefined && names.length === 0)
    throw wrong('command', 'is none of the device: it has no action of this name', command)
  requireValues(device, parameters)
  const about = options.switch === undefined ? {} : pinOf(switchOf(device, options.switch))
  const target = action === undefined ? `set:${names.toSorted().join(',')}`.slice(0, 100) : `do:${command}`
  return { target, ...about, ...(action === undefined ? {} : { attempts: 1 }) }
}

function pinOf({ _id, gpio }: DeviceSwitch) {
  return { switchId: _id, gpio }
}

function switchOf(device: Device, given: ObjectId | number | undefined): DeviceSwitch {
  const relays = relaysOf(device)
  const [only, ...more] = given === undefined ? relays : relays.filter((one) => isSwitch(one, given))
  if (only !== undefined && more.length === 0) return only
  const message = given === undefined ? 'has to be named: the device has not one switch' : 'is none of the device'
  throw wrong('switch', message, given)
}

function isSwitch({ _id, gpio }: DeviceSwitch, given: ObjectId | number): boolean {
  return typeof given === 'number' ? gpio === given : _id.equals(given)
}

function requireValues({ capabilities }: Device, parameters: Parameters): void {
  for (const [name, value] of Object.entries(parameters)) {
    const found = capabilities.find((one) => one.name === name)
    if (found === undefined) throw wrong(`parameters.${name}`, 'is no capability of the device', value)
    if (!found.writable) throw wrong(`parameters.${name}`, 'cannot be set', value)
    const problem = problemOf(found, value)
    if (problem !== undefined) throw wrong(`parameters.${name}`, problem, value)
  }
}

function problemOf({ type, range = {} }: Capability, value: unknown): string | undefined {
  if (type === 'action') return 'is an action, and has no value'
  if (type === 'boolean') return typeof value === 'boolean' ? undefined : 'expected true or false'
  if (type === 'text')
    return typeof value === 'string' && value.length <= 1_000
      ? undefined
      : 'expected a text of at most 1,000 characters'
  if (typeof value !== 'number' || !Number.isFinite(value)) return 'expected a number'
  if (type === 'integer' && !Number.isInteger(value)) return 'expected a whole number'
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = range
  return value >= minimum && value <= maximum ? undefined : `expected a number from ${minimum} to ${maximum}`
}

function wrong(path: string, message: string, value: unknown): ValidationError {
  return new ValidationError('The command', [{ path, message, received: typeName(value) }])
}
