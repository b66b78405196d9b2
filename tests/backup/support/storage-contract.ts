import { randomBytes } from 'node:crypto'
import { beforeAll, expect, it } from 'vitest'
import type { BackupStorage } from '../../../src/backup/storage/storage.js'

/** What every storage has to do. Declares tests. */
export function storageContract(open: () => Promise<BackupStorage>): void {
  let storage: BackupStorage
  beforeAll(async () => {
    storage = await open()
  })

  async function* chunks(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
    yield* parts
  }
  async function read(path: string): Promise<Buffer> {
    const parts: Uint8Array[] = []
    for await (const part of storage.read(path)) parts.push(part)
    return Buffer.concat(parts)
  }
  async function list(prefix: string) {
    const found: { path: string; bytes: number }[] = []
    for await (const { path, bytes } of storage.list(prefix)) found.push({ path, bytes })
    return found.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  }

  it('gives back what was written, also nothing, and many megabytes', async () => {
    const large = randomBytes(13 << 20)
    const pieces = Array.from({ length: 13 }, (_, at) => large.subarray(at << 20, (at + 1) << 20))
    await storage.write('a/empty', chunks())
    await storage.write('a/small', chunks(Buffer.from('he'), Buffer.from('llo')))
    await storage.write('a/b/large "odd" name%', chunks(...pieces))
    expect(await read('a/empty')).toHaveLength(0)
    expect((await read('a/small')).toString()).toBe('hello')
    expect((await read('a/b/large "odd" name%')).equals(large)).toBe(true)
  })

  it('replaces a file, and lists those whose paths begin so', async () => {
    await storage.write('b/one', chunks(Buffer.from('1')))
    await storage.write('b/one', chunks(Buffer.from('one')))
    await storage.write('b/one/more', chunks(Buffer.from('x'))).catch(() => undefined)
    await storage.write('bc', chunks(Buffer.from('22')))
    expect((await read('b/one')).toString()).toBe('one')
    expect(await list('b/on')).toContainEqual({ path: 'b/one', bytes: 3 })
    expect((await list('b')).map(({ path }) => path)).toEqual(expect.arrayContaining(['b/one', 'bc']))
    expect(await list('nothing/at/all')).toEqual([])
    for await (const { modifiedAt } of storage.list('bc'))
      expect(Math.abs(modifiedAt.getTime() - Date.now())).toBeLessThan(60_000)
  })

  it('has nothing of a file whose content fails on the way, however much there was', async () => {
    for (const megabytes of [0, 1, 12]) {
      const failing = async function* () {
        for (let at = 0; at < megabytes; at += 1) yield randomBytes(1 << 20)
        throw new Error('the content failed')
      }
      await expect(storage.write('c/half', failing())).rejects.toThrow('the content failed')
      expect(await list('c/')).toEqual([])
    }
  })

  it('throws for a file that is not there, and removes one that is not there', async () => {
    await expect(read('d/nothing')).rejects.toThrow()
    await storage.remove('d/nothing')
    await storage.write('d/something', chunks(Buffer.from('x')))
    await storage.remove('d/something')
    expect(await list('d/')).toEqual([])
  })
}
