import { expect, it } from 'vitest'
import { members } from './undocumented.js'

it('every field of a public entity, every option and every part of a question has a line that says what it is', () => {
  const found = members()
  expect(found.length).toBeGreaterThan(500)
  expect(found.filter(({ isDocumented }) => !isDocumented).map(({ place }) => place)).toEqual([])
})
