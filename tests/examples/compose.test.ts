import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { rootFolder } from '../docs/code-blocks.js'

const folder = join(rootFolder, 'examples/compose')
const read = (name: string) => readFileSync(join(folder, name), 'utf8')
const service = z.object({
  image: z.string(),
  environment: z.record(z.string(), z.string()),
  volumes: z.array(z.string()),
  healthcheck: z.object({ test: z.array(z.string()) }),
})
const compose = z.object({
  services: z.object({ mongodb: service, mosquitto: service }),
  volumes: z.record(z.string(), z.null()),
})

it('the compose file is one: its files and volumes are there, and no password is in it', () => {
  const { services, volumes } = compose.parse(parse(read('compose.yaml')))
  for (const { environment, volumes: mounts } of Object.values(services)) {
    for (const value of Object.values(environment)) expect(value).toMatch(/^\$\{\w+:\?set \w+ in \.env\}$/)
    for (const mount of mounts) {
      const [from = ''] = mount.split(':')
      if (from.startsWith('.')) expect(existsSync(join(folder, from)), from).toBe(true)
      else expect(Object.keys(volumes)).toContain(from)
    }
  }
})

it('the broker asks for a password, and lets a device of version 2 speak for itself alone', () => {
  expect(read('mosquitto.conf')).toMatch(/^allow_anonymous false$/m)
  expect(read('mosquitto.conf')).toMatch(/^acl_file \/mosquitto\/config\/topics\.acl$/m)
  expect(read('topics.acl')).toMatch(/^pattern readwrite autovolt\/v2\/%u\/#$/m)
})
