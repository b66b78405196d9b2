import type { ObjectId } from 'mongodb'
import type { DeviceCommand } from './command.js'
import type { CommandStore } from './command-store.js'

/** Those who wait in this process for commands to end. */
export class CommandWaiters {
  readonly #store: CommandStore
  readonly #waiting = new Map<string, Set<(command: DeviceCommand) => void>>()

  constructor(store: CommandStore) {
    this.#store = store
  }

  /** Reads those of the commands that somebody waits for. */
  settle(ids: readonly ObjectId[]): void {
    const wanted = ids.filter((id) => this.#waiting.has(id.toHexString()))
    if (wanted.length > 0) void this.#read(wanted).catch(() => undefined)
  }

  /** The command once it has ended, or as it is when the time is over. */
  async wait(id: ObjectId, limitMs: number): Promise<DeviceCommand | null> {
    const key = id.toHexString()
    let timer: NodeJS.Timeout | undefined
    let end: (command: DeviceCommand) => void = () => undefined
    const ended = new Promise<DeviceCommand | undefined>((resolve) => {
      end = resolve
      timer = setTimeout(() => resolve(undefined), limitMs)
      this.#waiting.set(key, (this.#waiting.get(key) ?? new Set()).add(resolve))
    })
    try {
      return (await ended) ?? (await this.#store.documents.findOne({ _id: id }))
    } finally {
      clearTimeout(timer)
      const others = this.#waiting.get(key)
      others?.delete(end)
      if (others?.size === 0) this.#waiting.delete(key)
    }
  }

  async #read(ids: readonly ObjectId[]): Promise<void> {
    for (const command of await this.#store.documents.find({ _id: { $in: ids } })) {
      if (!command.isOpen) for (const end of this.#waiting.get(command._id.toHexString()) ?? []) end(command)
    }
  }
}
