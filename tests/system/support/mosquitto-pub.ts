import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Publishes one QoS 1 message with mosquitto's own client, as one would type it. */
export async function mosquittoPub(
  port: number,
  topic: string,
  payload: string | object,
  ...more: string[]
): Promise<void> {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  await run('mosquitto_pub', ['-h', '127.0.0.1', '-p', String(port), '-q', '1', '-t', topic, '-m', text, ...more])
}
