import { Session } from 'node:inspector/promises'

/**
 * Counts work: how often each block of JavaScript was run, by V8's own counters, and how many characters the functions of
 * the language for texts and patterns were given, which run outside of it.
 */
export class WorkCounter {
  readonly #session = new Session()
  #characters = 0
  /** How many of the functions are under way, each inside the one before. */
  #depth = 0

  async start(): Promise<void> {
    this.#session.connect()
    await this.#session.post('Profiler.enable')
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
    for (const name of [
      'normalize',
      'toLowerCase',
      'toUpperCase',
      'trim',
      'split',
      'slice',
      'replace',
      'replaceAll',
      'match',
      'matchAll',
      'indexOf',
      'includes',
      'localeCompare',
    ])
      this.#count(String.prototype, name, (text) => String(text).length)
    // Once `exec` is another function, `replace` calls it for each match, which it does not otherwise: that is not counted.
    for (const name of ['exec', 'test']) this.#count(RegExp.prototype, name, (_, [text]) => String(text ?? '').length)
    this.#count(JSON, 'stringify', (_, __, result) => (typeof result === 'string' ? result.length : 0))
    await this.#session.post('Profiler.takePreciseCoverage')
  }

  async countOf(work: () => Promise<void>): Promise<number> {
    this.#characters = 0
    await work()
    // Taking them sets them back.
    const { result } = await this.#session.post('Profiler.takePreciseCoverage')
    let blocks = 0
    for (const { functions } of result) {
      for (const { ranges } of functions) for (const { count } of ranges) blocks += count
    }
    return blocks + this.#characters
  }

  #count(owner: object, name: string, charactersOf: (self: unknown, args: unknown[], result: unknown) => number): void {
    const original = Reflect.get(owner, name) as (...args: unknown[]) => unknown
    const run = (self: unknown, args: unknown[]): unknown => {
      this.#depth += 1
      try {
        const result = original.apply(self, args)
        if (this.#depth === 1 || owner !== RegExp.prototype) this.#characters += charactersOf(self, args, result)
        return result
      } finally {
        this.#depth -= 1
      }
    }
    Object.defineProperty(owner, name, {
      configurable: true,
      writable: true,
      value(this: unknown, ...args: unknown[]): unknown {
        return run(this, args)
      },
    })
  }
}
