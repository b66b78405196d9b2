import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { newFolder } from '../../backup/support/folder.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { eventually } from '../../support/eventually.js'
import { freePort } from '../../support/free-port.js'
import { endProcess, keepOutput, spawnGuarded } from '../../support/guarded-process.js'

const run = promisify(execFile)
const moduleVersion = 'github.com/versity/versitygw/cmd/versitygw@v1.8.0'

export interface S3Server {
  readonly endpoint: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** Where its buckets are folders. */
  readonly folder: string
  /** Lets it hang, as a network that is gone would. */
  pause(): void
  resume(): void
}

/** A real S3 server over a folder, with one bucket: https://github.com/versity/versitygw. Ends with the test, or the file. */
export async function startS3Server(bucket: string): Promise<S3Server> {
  const binary = await findVersitygw()
  const folder = await newFolder()
  await mkdir(join(folder, bucket))
  const sidecar = await newFolder()
  const port = await freePort()
  const credentials = { accessKeyId: 'autovolt', secretAccessKey: 'not a secret' }
  const args = ['--access', credentials.accessKeyId, '--secret', credentials.secretAccessKey]
  const server = spawnGuarded(
    binary,
    [...args, '--port', `127.0.0.1:${port}`, '--quiet', 'posix', '--sidecar', sidecar, folder],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const output = keepOutput(server)
  cleanUpLater(async () => {
    await endProcess(server, 'SIGKILL')
  })
  const endpoint = `http://127.0.0.1:${port}`
  await eventually('the S3 server answers', async () => {
    if (server.exitCode !== null) throw new Error(output())
    return (await fetch(endpoint)).status > 0
  })
  return {
    endpoint,
    credentials,
    folder,
    pause: () => void server.kill('SIGSTOP'),
    resume: () => void server.kill('SIGCONT'),
  }
}

/** On the PATH, or where Go puts it; else it is built, which takes some minutes. */
async function findVersitygw(): Promise<string> {
  const own = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'autovolt-data/bin')
  const folders = [...(process.env.PATH ?? '').split(delimiter), join(homedir(), 'go/bin'), own]
  for (const folder of folders) {
    const path = join(folder, 'versitygw')
    if (folder !== '' && (await isExecutable(path))) return path
  }
  await run('go', ['install', moduleVersion], { env: { ...process.env, GOBIN: own }, timeout: 15 * 60_000 })
  return join(own, 'versitygw')
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}
