/** Budget: how much of the memory, or the storage, that something may take it takes. */
export interface Budget {
  readonly bytes: number
  readonly maximumBytes: number
}

interface Sized<Value> {
  readonly value: Value
  readonly bytes: number
}

/** What an entry takes besides its key and value, about. */
const entryBytes = 100

/** A map that forgets what was set longest ago before it takes more than its budget. */
export class BudgetedMap<Value> {
  readonly #maximumBytes: number
  readonly #bytesOf: (value: Value) => number
  readonly #entries = new Map<string, Sized<Value>>()
  #bytes = 0

  /** @param bytesOf About what a value takes. */
  constructor(maximumBytes: number, bytesOf: (value: Value) => number) {
    this.#maximumBytes = maximumBytes
    this.#bytesOf = bytesOf
  }

  get budget(): Budget {
    return { bytes: this.#bytes, maximumBytes: this.#maximumBytes }
  }

  has(key: string): boolean {
    return this.#entries.has(key)
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key)?.value
  }

  set(key: string, value: Value): void {
    this.delete(key)
    const bytes = entryBytes + 2 * key.length + this.#bytesOf(value)
    this.#entries.set(key, { value, bytes })
    this.#bytes += bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maximumBytes) break
      this.delete(oldest)
    }
  }

  delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0
    this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }
}

/** What a text takes, at most. */
export function bytesOfText(text: string | undefined): number {
  return 2 * (text?.length ?? 0)
}

/**
 * The level to which the largest amounts have to come down so that all together are within the budget: what is below it, stays.
 */
export function levelWithin(amounts: readonly number[], budget: number): number {
  let rest = budget
  const ascending = amounts.toSorted((a, b) => a - b)
  for (const [at, amount] of ascending.entries()) {
    const share = rest / (ascending.length - at)
    if (amount > share) return Math.max(0, share)
    rest -= amount
  }
  return Number.POSITIVE_INFINITY
}
