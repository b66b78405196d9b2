import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { rolePage, rolePageFile } from '../../scripts/role-page.js'

it('the page of roles is as `npm run docs:indexes` writes it', () => {
  expect(readFileSync(rolePageFile, 'utf8')).toBe(rolePage())
})
