import { beforeAll, describe, expect, it } from 'vitest'
import { type Child, startChild } from '../support/child.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
const contenders: Child[] = []

beforeAll(async () => {
  const env = { MONGODB_URI: database.uri, DB_NAME: database.dbName }
  for (let number = 0; number < 10; number += 1) {
    contenders.push(startChild(new URL('./processes/contender.ts', import.meta.url), { args: [String(number)], env }))
  }
  await Promise.all(contenders.map((child) => child.next('ready')))
})

/** All ten at once. */
async function all(job: string, argument = '') {
  for (const child of contenders) child.send({ type: 'do', job, argument })
  const answers = await Promise.all(contenders.map((child) => child.next('done')))
  expect(answers.filter(({ error }) => error !== undefined)).toEqual([])
  return answers.map(({ result }) => result)
}

describe('ten processes at once', () => {
  it('set up one database', async () => {
    await all('setup')
    const volt = await openVolt(database)
    expect(await volt.setup({ dryRun: true })).toMatchObject({ isComplete: true })
  })

  it('upsert one document, with or without a secret', async () => {
    for (let round = 0; round < 5; round += 1) {
      const answers = (await all('upsert', `round ${round}`)) as { device: string; classroom: string }[]
      expect(new Set(answers.map(({ device }) => device)).size).toBe(1)
      expect(new Set(answers.map(({ classroom }) => classroom)).size).toBe(1)
    }
    const volt = await openVolt(database)
    expect(await volt.devices.count()).toBe(1)
    expect(await volt.classrooms.count()).toBe(5)
    const device = await volt.devices.findByMacAddress('aabbccddeeff')
    expect(device).toMatchObject({ name: 'round 4', __v: 49 })
    expect(await volt.devices.revealDeviceSecret(device?._id ?? '')).toMatch(/^the secret of \d, long enough$/)
  })

  it('have one holder of a lease', async () => {
    for (let round = 0; round < 5; round += 1) {
      const fences = await all('acquire', `lease ${round}`)
      expect(fences.filter((fence) => fence !== null)).toEqual([1])
      expect(await all('acquire', `lease ${round}`)).toEqual(fences)
    }
  })
})
