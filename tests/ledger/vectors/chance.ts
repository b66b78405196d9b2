/** Numbers as they come from a seed (mulberry32): the same mutants can be made again. */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * limit)
  }

  one<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)] as Value
  }
}

/** The bytes with something else somewhere. */
export function mutatedBytes(bytes: Buffer, chance: Chance): Buffer {
  const at = chance.below(bytes.length)
  const changed = Buffer.from(bytes)
  switch (chance.below(5)) {
    case 0:
      changed[at] = (changed[at] ?? 0) ^ (1 << chance.below(8))
      return changed
    case 1:
      changed[at] = chance.below(256)
      return changed
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + chance.below(4))])
    case 3:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(chance.one(insertions)), bytes.subarray(at)])
    default: {
      const from = chance.below(bytes.length)
      bytes.copy(changed, at, from, from + 1 + chance.below(8))
      return changed
    }
  }
}

const insertions = [
  '\0',
  ' ',
  '"',
  '\\',
  '\n',
  '\r\n',
  '\ufeff',
  '\ufffd',
  '\u0085',
  '\u00a0',
  ',',
  '0',
  '-',
  '{}',
  '[]',
  '\\u0041',
  '=',
  '/',
  '🔌',
  'é',
  '\u007f',
  '\xff',
]
