import { expect, it } from 'vitest'
import { eventually } from './eventually.js'

it('gives the first thing that is there', async () => {
  let calls = 0
  expect(await eventually('the third call', () => (++calls === 3 ? 'here' : undefined), { everyMs: 1 })).toBe('here')
})

it('holds expectations that are not met at once', async () => {
  let calls = 0
  await eventually('three calls', () => {
    expect(++calls).toBe(3)
    return true
  })
})

it('says what did not come about, and what was seen instead', async () => {
  await expect(eventually('the lamp is lit', () => null, { timeoutMs: 5, everyMs: 1 })).rejects.toThrow(
    'Not within 5 ms: the lamp is lit. When last looked at, it gave null',
  )
  const broken = () => {
    throw new Error('no lamp')
  }
  await expect(eventually('the lamp is lit', broken, { timeoutMs: 5, everyMs: 1 })).rejects.toThrow('it threw: no lamp')
})
