import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { AsyncContext } from '../../src/core/async-context.js'

describe('a value of an asynchronous context', () => {
  const first = new AsyncContext<string>()
  const second = new AsyncContext<number | undefined>()

  it('is there in its work, also later, and nowhere else', async () => {
    let later: Promise<string | undefined> | undefined
    const inside = await first.run('a', async () => {
      later = sleep(5).then(() => first.value)
      await sleep(1)
      return first.value
    })
    expect(inside).toBe('a')
    expect(first.value).toBeUndefined()
    await expect(later).resolves.toBe('a')
  })

  it('is that of the innermost work, and of each work beside the others', async () => {
    const seen = await first.run('outer', () =>
      Promise.all([
        first.run('one', () => sleep(2).then(() => first.value)),
        first.run('two', () => sleep(1).then(() => first.value)),
        sleep(1).then(() => first.value),
      ]),
    )
    expect(seen).toEqual(['one', 'two', 'outer'])
  })

  it('is not hidden by that of another one, nor by nothing as a value', async () => {
    await first.run('a', async () => {
      expect(second.value).toBeUndefined()
      await second.run(1, async () => {
        expect([first.value, second.value]).toEqual(['a', 1])
        second.run(undefined, () => expect([first.value, second.value]).toEqual(['a', undefined]))
        expect(second.value).toBe(1)
      })
    })
  })

  it('is gone when its work throws', () => {
    const fails = () => {
      throw new Error('it fails')
    }
    expect(() => first.run('a', fails)).toThrow('it fails')
    expect(first.value).toBeUndefined()
  })
})
