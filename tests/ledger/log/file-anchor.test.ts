import { appendFile, mkdtemp, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileAnchor } from '@autovolt/data'
import { beforeEach, describe, expect, it } from 'vitest'
import { SignerKey } from '../../../src/ledger/log/signed-note.js'
import { publishedCheckpoint } from '../../support/anchored.js'
import { someLeaves } from '../support/slow-tree.js'
import { testLogKeys } from '../support/test-keys.js'

const signerOf = (origin: string, seed = 1) => SignerKey.parse(testLogKeys(origin, Buffer.alloc(32, seed)).signerKey)
const signer = signerOf('school.example/energy')
const leaves = someLeaves(40)
const upTo = (size: number, by = signer) => publishedCheckpoint(leaves.slice(0, size), by)
const rewritten = (size: number) => publishedCheckpoint([...leaves.slice(1, size), leaves[0]!], signer)
let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autovolt-anchor-'))
  path = join(folder, 'checkpoints.jsonl')
  return () => rm(folder, { recursive: true })
})

const linesOf = async () => (await readFile(path, 'utf8')).split('\n')

describe('fileAnchor', () => {
  it('keeps nothing before the first checkpoint', async () => {
    expect(await fileAnchor(path).newest?.()).toBeUndefined()
    await writeFile(path, '')
    expect(await fileAnchor(path).newest?.()).toBeUndefined()
  })

  it('keeps them for its user alone, and follows no link', async () => {
    await fileAnchor(path).publish(upTo(3))
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const link = join(folder, 'link.jsonl')
    await symlink(path, link)
    await expect(fileAnchor(link).publish(upTo(7))).rejects.toThrow('ELOOP')
    await expect(fileAnchor(link).newest?.()).rejects.toThrow('ELOOP')
    expect(await linesOf()).toHaveLength(2)
  })

  it('keeps each checkpoint on a line of its own, and gives the newest back', async () => {
    const anchor = fileAnchor(path)
    for (const size of [3, 7, 8]) expect(await anchor.publish(upTo(size))).toBeUndefined()
    const kept = (await linesOf()).slice(0, -1).map((line) => JSON.parse(line) as { note: string })
    expect(kept.map(({ note }) => note)).toEqual([3, 7, 8].map((size) => upTo(size).note))
    const newest = await anchor.newest?.()
    expect(newest?.note).toBe(upTo(8).note)
    expect(newest?.anchoredAt).toBeInstanceOf(Date)
  })

  it('does not go back where a later one was written while the proof of this one was read', async () => {
    const anchor = fileAnchor(path)
    await anchor.publish(upTo(3))
    const slow = upTo(10)
    let isFirst = true
    const publishing = anchor.publish({
      ...slow,
      async consistencyFrom(size) {
        if (isFirst) await fileAnchor(path).publish(upTo(12))
        isFirst = false
        return slow.consistencyFrom(size)
      },
    })
    await expect(publishing).rejects.toThrow('the file keeps a checkpoint of 12 entries, this one is of 10')
    expect((await anchor.newest?.())?.note).toBe(upTo(12).note)
  })

  it('changes nothing that is in the file', async () => {
    const anchor = fileAnchor(path)
    await anchor.publish(upTo(3))
    const before = await readFile(path, 'utf8')
    await anchor.publish(upTo(5))
    expect((await readFile(path, 'utf8')).startsWith(before)).toBe(true)
  })

  it('does without a last line that a crash has cut off, and goes on below it', async () => {
    const anchor = fileAnchor(path)
    await anchor.publish(upTo(3))
    await anchor.publish(upTo(5))
    await truncate(path, (await readFile(path)).length - 20)
    expect((await anchor.newest?.())?.note).toBe(upTo(3).note)
    await anchor.publish(upTo(9))
    expect((await anchor.newest?.())?.note).toBe(upTo(9).note)
    expect(await linesOf()).toHaveLength(4)
  })

  it('finds the newest below whatever else the file has come to hold', async () => {
    const anchor = fileAnchor(path)
    await anchor.publish(upTo(3))
    const junk = [
      '',
      'null',
      '[]',
      '{"note":5}',
      '{"note":"no checkpoint","anchoredAt":"2026-03-01"}',
      `"${'é'.repeat(99_999)}"`,
    ]
    await appendFile(path, `${junk.join('\n')}\n{"note":`)
    expect((await anchor.newest?.())?.note).toBe(upTo(3).note)
    await anchor.publish(upTo(4))
    expect((await anchor.newest?.())?.note).toBe(upTo(4).note)
  })

  it('reads a file that an editor has given a byte-order mark and CRLF', async () => {
    const anchor = fileAnchor(path)
    await anchor.publish(upTo(3))
    await writeFile(path, `\ufeff${(await readFile(path, 'utf8')).replaceAll('\n', '\r\n')}`)
    expect((await anchor.newest?.())?.note).toBe(upTo(3).note)
    await expect(anchor.publish(rewritten(9))).rejects.toThrow('does not go on from that of 3 entries')
    await anchor.publish(upTo(9))
    expect((await anchor.newest?.())?.note).toBe(upTo(9).note)
  })

  it('does not take a file that it cannot read for an empty one', async () => {
    const anchor = fileAnchor(path)
    await anchor.publish(upTo(3))
    await writeFile(path, Buffer.from(await readFile(path, 'utf8'), 'utf16le'))
    await expect(anchor.newest?.()).rejects.toThrow('none that can be read is a checkpoint')
    await expect(anchor.publish(upTo(5))).rejects.toThrow('none that can be read is a checkpoint')
    await writeFile(path, Buffer.alloc(6_000_000, 'x\n'))
    await expect(anchor.newest?.()).rejects.toThrow('none that can be read is a checkpoint')
  })

  it('takes a first line that a crash has cut off for none', async () => {
    const anchor = fileAnchor(path)
    await anchor.publish(upTo(3))
    await truncate(path, 40)
    expect(await anchor.newest?.()).toBeUndefined()
    await anchor.publish(upTo(5))
    expect((await anchor.newest?.())?.note).toBe(upTo(5).note)
  })

  it('does not keep a checkpoint twice', async () => {
    const anchor = fileAnchor(path)
    await anchor.publish(upTo(3))
    await anchor.publish(upTo(3))
    expect(await linesOf()).toHaveLength(2)
  })

  it('refuses an older checkpoint, so that a ledger that was rolled back does not hide it', async () => {
    const anchor = fileAnchor(path)
    await anchor.publish(upTo(9))
    await expect(anchor.publish(upTo(5))).rejects.toThrow('keeps a checkpoint of 9 entries, this one is of 5')
    expect((await anchor.newest?.())?.note).toBe(upTo(9).note)
  })

  it('refuses a history that was written anew, however long it has become', async () => {
    const anchor = fileAnchor(path)
    await anchor.publish(upTo(9))
    for (const size of [9, 10, 16, 40])
      await expect(anchor.publish(rewritten(size))).rejects.toThrow('does not go on from that of 9 entries')
    expect((await anchor.newest?.())?.note).toBe(upTo(9).note)
  })

  it('refuses checkpoints of another log, and takes those of a new key', async () => {
    const anchor = fileAnchor(path)
    await anchor.publish(upTo(9))
    await expect(anchor.publish(upTo(12, signerOf('other.example')))).rejects.toThrow('does not go on')
    await anchor.publish(upTo(12, signerOf('school.example/energy', 2)))
    expect(await linesOf()).toHaveLength(3)
  })

  it('fails with the name of the folder that is not there', async () => {
    const missing = join(folder, 'nowhere', 'checkpoints.jsonl')
    await expect(fileAnchor(missing).publish(upTo(3))).rejects.toThrow(missing)
    expect(await fileAnchor(missing).newest?.()).toBeUndefined()
  })

  it('fails where the file is a folder', async () => {
    await expect(fileAnchor(folder).publish(upTo(3))).rejects.toThrow(/EISDIR/)
    await expect(fileAnchor(folder).newest?.()).rejects.toThrow(/EISDIR/)
  })
})
