import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { folderStorage, s3Storage } from '@autovolt/data/backup'
import { describe, expect, it } from 'vitest'
import { newFolder } from './support/folder.js'
import { MemoryStorage } from './support/memory-storage.js'
import { storageContract } from './support/storage-contract.js'

describe('a storage of the host', () => storageContract(async () => new MemoryStorage()))

describe('a folder', () => {
  storageContract(async () => folderStorage(join(await newFolder(), 'made/on/the way')))

  it('is for its owner only, and leaves no empty folders and no half files', async () => {
    const folder = await newFolder()
    const storage = folderStorage(folder)
    const content = async function* () {
      yield Buffer.from('x')
    }
    await storage.write('a/b/file', content())
    expect((await stat(join(folder, 'a/b/file'))).mode & 0o077).toBe(0)
    expect((await stat(join(folder, 'a'))).mode & 0o077).toBe(0)
    expect(await readdir(join(folder, 'a/b'))).toEqual(['file'])
    await writeFile(join(folder, 'a/b/file.0a0a0a0a.partial'), 'half')
    const listed: string[] = []
    for await (const { path } of storage.list('')) listed.push(path)
    expect(listed).toEqual(['a/b/file'])
    await rm(join(folder, 'a/b/file.0a0a0a0a.partial'))
    await storage.remove('a/b/file')
    expect(await readdir(folder)).toEqual([])
  })

  it('is never left by a path', async () => {
    const storage = folderStorage(join(await newFolder(), 'inside'))
    const nothing = async function* () {}
    for (const path of ['../outside', '/etc/passwd', 'a/../../outside']) {
      await expect(storage.write(path, nothing())).rejects.toMatchObject({ code: 'CONFIGURATION' })
      await expect(storage.remove(path)).rejects.toMatchObject({ code: 'CONFIGURATION' })
      expect(() => storage.read(path)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
    }
  })

  it('tells where it cannot write', async () => {
    const folder = await newFolder()
    await writeFile(join(folder, 'file'), '')
    await mkdir(join(folder, 'taken'))
    const write = folderStorage(join(folder, 'file')).write(
      'a',
      (async function* () {
        yield Buffer.from('x')
      })(),
    )
    await expect(write).rejects.toThrow(/ENOTDIR|EEXIST/)
  })
})

it('S3 refuses options that cannot be used before anything is loaded', () => {
  for (const options of [{ bucket: '' }, { bucket: 'b', prefix: '/x' }, { bucket: 'b', partBytes: 1000 }])
    expect(() => s3Storage(options)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
})
