import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ByteMark } from '../../../src/ledger/entry/byte-mark.js'

const someBytes = fc.uint8Array({ minLength: 1, maxLength: 24 })

it('is found where its bytes are, and nowhere else', () => {
  fc.assert(
    fc.property(someBytes, fc.nat({ max: 9 }), fc.nat(), (bytes, at, which) => {
      const buffer = Buffer.alloc(at + bytes.length + 4, 0xa5)
      buffer.set(bytes, at)
      const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
      const mark = new ByteMark(bytes)
      expect([mark.length, mark.isAt(view, at)]).toEqual([bytes.length, true])
      const changed = at + (which % bytes.length)
      buffer.writeUInt8(buffer.readUInt8(changed) ^ (1 << (which % 8)), changed)
      expect(mark.isAt(view, at)).toBe(false)
    }),
    { numRuns: 2000 },
  )
})
