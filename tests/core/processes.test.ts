import { describe, expect, inject, it } from 'vitest'
import { bundled } from '../support/bundled.js'
import { startChild } from '../support/child.js'

const env = { MONGODB_URI: inject('mongodbUri') }
const signalled = (mode: string) =>
  startChild(new URL('./processes/closing-on-signals.ts', import.meta.url), { args: [mode], env })

describe('a process that asks for it', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('closes its handles on %s and then ends by it', async (signal) => {
    const child = signalled('two-handles')
    expect(await child.next('ready')).toMatchObject({ listeners: 2 })
    expect(await child.kill(signal)).toEqual({ code: null, signal })
    const closed = child.messages.filter(({ type }) => type === 'closed').map(({ handle }) => handle)
    expect(closed.sort()).toEqual([0, 1])
    expect(child.output).toBe('')
  })

  it('has its handles closed and goes on where it listens to the signal itself', async () => {
    const child = signalled('own-listener')
    await child.next('ready')
    expect(await child.kill('SIGTERM')).toEqual({ code: 7, signal: null })
    expect(child.messages.map(({ type }) => type)).toEqual(['ready', 'closed'])
    expect(child.output).toBe('')
  })

  it('is listened to no longer once its handles are closed', async () => {
    const child = signalled('closed-before')
    expect(await child.next('ready')).toMatchObject({ listeners: 0 })
  })
})

it('does not listen to signals unasked', async () => {
  const child = signalled('not-asked')
  expect(await child.next('ready')).toMatchObject({ listeners: 0 })
  expect(await child.kill('SIGTERM')).toEqual({ code: null, signal: 'SIGTERM' })
  expect(child.messages.map(({ type }) => type)).toEqual(['ready'])
})

it('opens, listens to, prints and leaves behind nothing when it is imported', async () => {
  const entries = ['index', 'ledger/offline', 'mqtt/index', 'testing/index'].map(
    (entry) => bundled(new URL(`../../src/${entry}.ts`, import.meta.url)).href,
  )
  const child = startChild(new URL('./processes/importing.ts', import.meta.url), { args: entries })
  const { before, after } = await child.next('imported')
  expect(after).toEqual(before)
  expect(await child.exit).toEqual({ code: 0, signal: null })
  expect(child.output).toBe('')
})
