import { BSON } from 'mongodb'
import { Mongoose } from 'mongoose'
import { beforeAll, describe, expect, it } from 'vitest'
import { AutoVolt } from '../../src/autovolt.js'
import { keyRing } from '../support/builders.js'
import { cleanUpLater } from '../support/clean-up.js'
import { setUpDatabase } from '../support/database.js'
import { slice } from '../support/extent.js'
import { argumentsOf, callSafely, takesArguments } from './arguments.js'
import { hostileValues, mark, spoilt } from './hostile-values.js'
import { outcomeOf } from './outcome.js'
import { exportedFunctions, handleFunctions, type PublicFunction } from './public-functions.js'

const database = setUpDatabase()
const values = hostileValues()
let volt: AutoVolt
const sent: string[] = []

beforeAll(async () => {
  const connection = new Mongoose().createConnection()
  await connection.openUri(database.uri, { dbName: database.dbName, monitorCommands: true })
  connection.getClient().on('commandStarted', ({ command }) => {
    const text = BSON.EJSON.stringify(command)
    if (text.includes(mark)) sent.push(text)
  })
  volt = AutoVolt.attach(connection, { keys: keyRing('first') })
  cleanUpLater(async () => {
    await volt.close()
    await connection.destroy()
  })
  await volt.setup()
})

async function rawErrors(each: PublicFunction): Promise<string[]> {
  const { name } = each
  const found = new Set<string>()
  const calls = slice([...spoilt(argumentsOf(each), values)], 8, name.length)
  for (let at = 0; at < calls.length; at += 25) {
    const outcomes = await Promise.all(calls.slice(at, at + 25).map((args) => outcomeOf(() => callSafely(each, args))))
    for (const error of outcomes) if (error !== undefined) found.add(told(error))
  }
  return [...found].map((error) => `${name}: ${error}`)
}

function told(error: unknown): string {
  const place = error instanceof Error ? (error.stack?.split('\n').find((line) => line.includes('/src/')) ?? '') : ''
  return `${String(error).slice(0, 150)} ${place.trim().replace(/^.*\/src\//, 'src/')}`
}

describe('a hostile argument', () => {
  it('is refused by every exported function with an error of ours', async () => {
    const found: string[] = []
    for (const exported of exportedFunctions().filter(takesArguments)) found.push(...(await rawErrors(exported)))
    expect(found).toEqual([])
  }, 600_000)

  it('is refused by every function of the handle with an error of ours, and reaches no command', async () => {
    const found: string[] = []
    for (const method of handleFunctions(volt).filter(takesArguments)) found.push(...(await rawErrors(method)))
    expect(found).toEqual([])
    expect(sent.map((command) => command.slice(0, 300))).toEqual([])
    expect({}).not.toHaveProperty('polluted')
  }, 600_000)
})
