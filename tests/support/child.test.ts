import { describe, expect, it } from 'vitest'
import { startChild } from './child.js'
import { eventually } from './eventually.js'

const echo = new URL('./fixtures/echo.ts', import.meta.url)

describe('a child', () => {
  it('gets arguments and environment, and talks in both directions', async () => {
    const child = startChild(echo, { args: ['one'], env: { GREETING: 'hello' } })
    expect(await child.next('ready')).toEqual({ type: 'ready', args: ['one'], greeting: 'hello' })
    child.send({ type: 'echo', number: 1 })
    child.send({ type: 'echo', number: 2 })
    expect(await child.next('echoed')).toMatchObject({ number: 1 })
    expect(await child.next('echoed')).toMatchObject({ number: 2 })
    expect(child.messages.map(({ type }) => type)).toEqual(['ready', 'echoed', 'echoed'])
  })

  it('is killed with a signal, and says so to whoever waits for it', async () => {
    const child = startChild(echo)
    await child.next('ready')
    const never = expect(child.next('never')).rejects.toThrow(
      /^No 'never' came: the child ended with code null, signal SIGKILL, having written:\nechoing\n/,
    )
    expect(await child.kill()).toEqual({ code: null, signal: 'SIGKILL' })
    await never
    await expect(child.next('late')).rejects.toThrow("No 'late' came")
  })

  it('does not outlive a parent that is killed', async () => {
    const parent = startChild(new URL('./fixtures/start-echo.ts', import.meta.url))
    const { grandchild } = await parent.next<{ type: 'started'; grandchild: number }>('started')
    process.kill(grandchild, 0)
    await parent.kill('SIGKILL')
    await eventually('the grandchild is gone', () => {
      expect(() => process.kill(grandchild, 0)).toThrow('ESRCH')
      return true
    })
  })

  let earlier = 0
  it('ends with the test that started it ...', async () => {
    const child = startChild(echo)
    await child.next('ready')
    earlier = child.pid
  })

  it('... whether or not that ended it', () => {
    expect(() => process.kill(earlier, 0)).toThrow('ESRCH')
  })
})
