type Close = () => Promise<void> | void

const patienceMs = 10_000

/** What has been started, and how each part of it ends: in the opposite order, and all of it, whatever goes wrong. */
export class Resources {
  readonly #open: { readonly name: string; readonly close: Close }[] = []
  readonly #complain: (message: string) => void
  #closing: Promise<void> | undefined

  constructor(complain: (message: string) => void) {
    this.#complain = complain
  }

  add(name: string, close: Close): void {
    this.#open.push({ name, close })
  }

  /** May be called more than once; every call waits for the same end. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  async #closeAll(): Promise<void> {
    for (const { name, close } of this.#open.toReversed()) {
      try {
        await withinReason(close)
      } catch (error) {
        this.#complain(`${name} did not end in order: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
}

async function withinReason(close: Close): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took more than ${patienceMs / 1000} seconds`)), patienceMs)
  })
  try {
    await Promise.race([close(), tooLong])
  } finally {
    clearTimeout(timer)
  }
}
