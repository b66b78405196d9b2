import { z } from 'zod'
import { defineEntity, type Input, type Stored } from '../core/entity.js'
import { anyValue, objectId, quantity } from '../core/fields.js'
import { commandSlots } from './slot.js'

/**
 * What becomes of a command: `queued` until a worker has it, `sent` while its device may answer, `acknowledged` once the device
 * has said that it will. The others are ends, which never change.
 */
const commandStatuses = ['queued', 'sent', 'acknowledged', 'succeeded', 'failed', 'expired', 'cancelled'] as const
export type CommandStatus = (typeof commandStatuses)[number]

/** Why a command has ended other than well. */
const commandReasons = [
  /** The device said no. */
  'refused',
  /** It was sent, and nothing shows what became of it. */
  'no_answer',
  /** The device answered with another state than was asked for. */
  'contradicted',
  /** It could not be sent: the device is gone, out of service, or no transport takes it. */
  'unreachable',
  /** A newer command, or the wall switch, came in between. */
  'superseded',
  /** Somebody took it back. */
  'withdrawn',
] as const
export type CommandReason = (typeof commandReasons)[number]

export const commandPriorities = ['low', 'normal', 'high', 'critical'] as const
export type CommandPriority = (typeof commandPriorities)[number]

/** What shows that a device has done it. */
const commandEvidences = ['answer', 'event', 'snapshot', 'transport'] as const
export type CommandEvidence = (typeof commandEvidences)[number]

export const parameterValues = () => z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/), anyValue())

/** Who asked for it. */
export const requesterFields = () =>
  z.strictObject({
    /** The user who asked. */
    user: objectId().optional(),
    /** As the device is told, and reports. */
    name: z.string().min(1).max(64).optional(),
    /** What asked, such as `app`, `schedule` or `rule`. */
    source: z.string().min(1).max(50).optional(),
  })
export type Requester = z.output<ReturnType<typeof requesterFields>>

const commandsExpireAfterDays = 30
/** How long commands that have ended are kept: as long their idempotency keys are good. */
export const keptMs = commandsExpireAfterDays * 86_400_000

/**
 * A command to a device. It has four clocks, and each is a field of its own: it is not sent after `expiresAt`; the device has
 * until `deadlineAt` to answer; a worker has it until `leaseUntil`; and after `expireAt` the server removes it.
 */
export const commandEntity = defineEntity({
  name: 'device command',
  collection: 'device_commands',
  personal: {
    subjects: { 'requester.user': { onErasure: 'delete', fields: ['requester'] } },
    mentions: {
      in: ['parameters', 'detail', 'requester', 'correlationId', 'idempotencyKey'],
      onErasure: 'replace',
    },
    notPersonal: (
      'device slot protocol target command switchId gpio state status isOpen isUnderWay priority rankAt attempts maximumAttempts ' +
      'token leaseUntil sentAt deadlineAt expiresAt answer reason finishedAt latencyMs expireAt'
    ).split(' '),
  },
  fields: {
    /** The device that it is for. */
    device: objectId(),
    /** A number that follows from the device: what claims and shards are spread by. */
    slot: z
      .int()
      .min(0)
      .max(commandSlots - 1),
    /** The device's, when it was asked for: who can send it. */
    protocol: z.string().min(1).max(50),
    /** What it is about, such as `switch:16`: of these a device has one at a time under way. */
    target: z.string().min(1).max(100),
    /** `turn_on`, `turn_off`, an action of the device, or a word for values that are set. */
    command: z.string().min(1).max(50),
    /** Its parameters, by name. */
    parameters: parameterValues(),
    /** Of a command to a switch: which, and what it is to be. */
    switchId: objectId().optional(),
    /** The pin of the switch. */
    gpio: z.int().min(0).max(255).optional(),
    /** What the switch is to be. */
    state: z.boolean().optional(),
    /** What has become of it. */
    status: z.enum(commandStatuses),
    /** Whether it has not ended. */
    isOpen: z.boolean(),
    /** Whether it is `sent` or `acknowledged`. */
    isUnderWay: z.boolean(),
    /** How much head start it has over others. */
    priority: z.enum(commandPriorities),
    /** Commands are sent in this order: when it was asked for, less the head start of its priority; or when it is tried again. */
    rankAt: z.date(),
    /** How often it was claimed to be sent. */
    attempts: z.int().min(0).max(100),
    /** How often it is sent at most. */
    maximumAttempts: z.int().min(1).max(100),
    /** The claim of the worker that has it, or had it last. */
    token: z.string().min(1).max(64).optional(),
    /** Until then the worker has it; absent once it was sent. */
    leaseUntil: z.date().optional(),
    /** When it was claimed last. */
    sentAt: z.date().optional(),
    /** Until then the device may answer. */
    deadlineAt: z.date().optional(),
    /** It is not sent after that. */
    expiresAt: z.date(),
    /** Who asked for it. */
    requester: requesterFields().optional(),
    /** Names commands that belong together. */
    correlationId: z.string().min(1).max(100).optional(),
    /** The same key and device again is the same command. */
    idempotencyKey: z.string().min(1).max(200).optional(),
    /** What the device has answered. */
    answer: z
      .strictObject({
        /** When it came. */
        at: z.date(),
        /** What shows it. */
        evidence: z.enum(commandEvidences),
        /** What the switch is by it. */
        state: z.boolean().optional(),
      })
      .optional(),
    /** Why it has ended other than well. */
    reason: z.enum(commandReasons).optional(),
    /** What exactly was wrong, in the device's or the transport's words. */
    detail: z.string().max(300).optional(),
    /** When it ended. */
    finishedAt: z.date().optional(),
    /** ms from when it was asked for to the device's answer. */
    latencyMs: quantity(0, 1e12).optional(),
    /** When the server removes it. */
    expireAt: z.date().optional(),
  },
  shardKey: { slot: 1, device: 1 },
  indexes: [
    {
      key: { slot: 1, device: 1, target: 1 },
      unique: true,
      partialFilterExpression: { isUnderWay: true },
      serves: 'one command at a time under way to a switch',
    },
    {
      key: { slot: 1, device: 1, idempotencyKey: 1 },
      unique: true,
      partialFilterExpression: { idempotencyKey: { $gt: '' } },
      serves: 'one command for each idempotency key of a device',
    },
    {
      key: { slot: 1, device: 1, _id: 1 },
      partialFilterExpression: { isOpen: true },
      serves: 'the commands that an answer of a device may be about, and those that a newer one replaces',
    },
    {
      key: { slot: 1, protocol: 1, rankAt: 1, _id: 1 },
      partialFilterExpression: { status: 'queued' },
      serves: 'workers: the commands to be sent next',
    },
    {
      key: { expiresAt: 1, _id: 1 },
      partialFilterExpression: { status: 'queued' },
      serves: 'workers: queued commands whose time is over',
    },
    {
      key: { leaseUntil: 1, _id: 1 },
      partialFilterExpression: { isUnderWay: true },
      serves: 'workers: commands whose worker is gone',
    },
    {
      key: { deadlineAt: 1, _id: 1 },
      partialFilterExpression: { isUnderWay: true },
      serves: 'workers: commands that no device has answered',
    },
    { key: { device: 1, createdAt: -1, _id: -1 }, serves: 'the commands of a device, newest first' },
    {
      key: { 'requester.user': 1, createdAt: -1, _id: -1 },
      partialFilterExpression: { 'requester.user': { $exists: true } },
      serves: 'what a user has asked for, newest first',
    },
    {
      key: { correlationId: 1, device: 1, _id: 1 },
      partialFilterExpression: { correlationId: { $gt: '' } },
      serves: 'commands that belong together, by device',
    },
    { key: { status: 1, createdAt: -1, _id: -1 }, serves: 'the last commands with a status' },
    {
      key: { device: 1, command: 1, createdAt: 1, status: 1, latencyMs: 1 },
      serves: 'success rates and latency of a device, from the index alone',
    },
    { key: { expireAt: 1 }, expireAfterSeconds: 0, serves: 'nobody: the server removes what has ended long ago' },
  ],
})

export type DeviceCommand = Stored<typeof commandEntity>
export type DeviceCommandInput = Input<typeof commandEntity>
