import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const settings = ['max_inflight_messages 2000', 'max_queued_messages 0', 'persistence false']

/** A mosquitto of its own, with the settings that docs/mqtt.md recommends but for persistence. */
export async function startBenchBroker() {
  const folder = await mkdtemp(join(tmpdir(), 'autovolt-bench-'))
  const port = await freePort()
  const file = join(folder, 'mosquitto.conf')
  await writeFile(file, [`listener ${port} 127.0.0.1`, 'allow_anonymous true', ...settings].join('\n'))
  const path = `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin`
  const broker = spawn('mosquitto', ['-c', file], { stdio: 'ignore', env: { ...process.env, PATH: path } })
  await listening(port)
  const stop = async () => {
    broker.kill()
    await rm(folder, { recursive: true, force: true })
  }
  return { url: `mqtt://127.0.0.1:${port}`, settings, stop, [Symbol.asyncDispose]: stop }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
      socket.once('close', () => socket.destroy())
      setTimeout(() => socket.end(), 50)
    })
    if (isOpen) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('mosquitto did not start; is it installed?')
}
