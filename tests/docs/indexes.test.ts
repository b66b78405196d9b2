import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { indexPage, indexPageFile } from '../../scripts/index-page.js'

it('the page of indexes is as `npm run docs:indexes` writes it', () => {
  expect(readFileSync(indexPageFile, 'utf8')).toBe(indexPage())
})
