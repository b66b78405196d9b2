/** What parent and child tell each other: a line of JSON on the channel between them. */
export interface ChildMessage {
  readonly type: string
  readonly [key: string]: unknown
}

interface Waiting {
  readonly type: string
  readonly take: (message: ChildMessage) => void
  readonly fail: (reason: string) => void
}

/** Messages in the order in which they came, each handed out once, also to those who wait for one that is yet to come. */
export class Inbox {
  readonly messages: ChildMessage[] = []
  private readonly untaken: ChildMessage[] = []
  private readonly waiting = new Set<Waiting>()
  private closedBecause: string | undefined

  put(message: ChildMessage): void {
    this.messages.push(message)
    const waiting = [...this.waiting].find(({ type }) => type === message.type)
    if (waiting === undefined) this.untaken.push(message)
    else waiting.take(message)
  }

  /** From now on nothing more comes: whoever waits is told why. */
  close(because: string): void {
    this.closedBecause = because
    for (const { fail } of this.waiting) fail(because)
  }

  /** The first message of this type that was not handed out before. */
  take(type: string, timeoutMs: number): Promise<ChildMessage> {
    const index = this.untaken.findIndex((message) => message.type === type)
    const [message] = index < 0 ? [] : this.untaken.splice(index, 1)
    if (message !== undefined) return Promise.resolve(message)
    if (this.closedBecause !== undefined) return Promise.reject(this.missing(type, this.closedBecause))
    return this.wait(type, timeoutMs)
  }

  private wait(type: string, timeoutMs: number): Promise<ChildMessage> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.waiting.delete(waiting)
        clearTimeout(timer)
      }
      const waiting: Waiting = {
        type,
        take: (message) => {
          settle()
          resolve(message)
        },
        fail: (reason) => {
          settle()
          reject(this.missing(type, reason))
        },
      }
      const timer = setTimeout(() => waiting.fail(`${timeoutMs} ms went by`), timeoutMs)
      this.waiting.add(waiting)
    })
  }

  private missing(type: string, reason: string): Error {
    const came = this.messages.map((message) => message.type).join(', ') || 'nothing'
    return new Error(`No '${type}' came: ${reason}. What came: ${came}`)
  }
}
