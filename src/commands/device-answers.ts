import type { ObjectId } from 'mongodb'
import type { DeviceCommand } from './command.js'
import type { CommandEnd, CommandStore } from './command-store.js'
import { slotOf } from './slot.js'

/** Device answer: what a device has shown or said that a command may have waited for. */
export interface DeviceAnswer {
  readonly device: ObjectId
  /** When it came. */
  readonly at: Date
  readonly evidence: 'answer' | 'event' | 'snapshot'
  /** The command that it names, in hexadecimal digits, where the protocol has that. */
  readonly command?: string | undefined
  readonly gpio?: number | undefined
  readonly state?: boolean | undefined
  /** Whether somebody has pressed the wall switch. */
  readonly isManual?: boolean
  /** Why the device does not do it. */
  readonly refusal?: string | undefined
}

/** What answers come to. They are facts, so whoever finds them, and however often, they come to the same. */
export class DeviceAnswers {
  readonly #store: CommandStore
  readonly #settled: (ids: readonly ObjectId[]) => void

  /** @param settled Called with the commands that may have ended, once that is stored. */
  constructor(store: CommandStore, settled: (ids: readonly ObjectId[]) => void) {
    this.#store = store
    this.#settled = settled
  }

  /** Ends the commands that were answered. Takes part in the caller's transaction. */
  async take(answers: readonly DeviceAnswer[]): Promise<readonly ObjectId[]> {
    if (answers.length === 0) return []
    const devices = new Map(answers.map(({ device }) => [device.toHexString(), device]))
    const ofDevice = byDevice(answers)
    const open = await this.#store.documents.for('answers').find({
      slot: { $in: [...new Set([...devices.values()].map(slotOf))] },
      device: { $in: [...devices.values()] },
      isOpen: true,
    })
    const ends = open.flatMap((command) => {
      const end = endOf(command, ofDevice.get(command.device.toHexString()) ?? [])
      return end === undefined ? [] : [{ command, end }]
    })
    if (ends.length === 0) return []
    await this.#store.endMany(ends)
    return ends.map(({ command }) => command._id)
  }

  /** Wakes those who wait for the commands, in this process. Called once what {@link take} has written is durable. */
  announce(ids: readonly ObjectId[]): void {
    if (ids.length > 0) this.#settled(ids)
  }
}

/** The end of the command by the first of its device's answers that ends it. */
function endOf(command: DeviceCommand, answers: readonly DeviceAnswer[]): CommandEnd | undefined {
  // What was never sent nothing answers.
  if (command.attempts === 0 || command.sentAt === undefined) return undefined
  for (const answer of answers) {
    const end = endBy(command, answer)
    if (end !== undefined) return end
  }
  return undefined
}

function endBy(command: DeviceCommand, given: DeviceAnswer): CommandEnd | undefined {
  const { at, evidence, state, refusal } = given
  const answer = { at, evidence, state }
  if (given.command !== undefined) {
    if (given.command !== command._id.toHexString()) return undefined
    if (refusal !== undefined) return { status: 'failed', reason: 'refused', detail: refusal, answer }
    const isAsWanted = command.state === undefined || state === command.state
    return isAsWanted ? { status: 'succeeded', answer } : { status: 'failed', reason: 'contradicted', answer }
  }
  const isAboutIt = command.state !== undefined && given.gpio === command.gpio && command.sentAt !== undefined
  if (!isAboutIt || command.sentAt === undefined || at < command.sentAt) return undefined
  if (state === command.state) return { status: 'succeeded', answer }
  // The last hand on the switch has it. An event that a command has caused, or a snapshot, may be older than this one.
  return given.isManual === true ? { status: 'cancelled', reason: 'superseded', answer } : undefined
}

function byDevice(answers: readonly DeviceAnswer[]): Map<string, DeviceAnswer[]> {
  const groups = new Map<string, DeviceAnswer[]>()
  for (const answer of answers) {
    const key = answer.device.toHexString()
    const own = groups.get(key)
    if (own === undefined) groups.set(key, [answer])
    else own.push(answer)
  }
  return groups
}
