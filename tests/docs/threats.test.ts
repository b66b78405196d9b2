import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { rootFolder } from './code-blocks.js'

const text = readFileSync(join(rootFolder, 'docs/threats.md'), 'utf8')

it('the page of threats names tests that are there', () => {
  const named = [...text.matchAll(/`((?:tests|src)\/[^`]+)`/g)].map(([, path = '']) => path)
  expect(named.length).toBeGreaterThan(50)
  expect(named.filter((path) => !existsSync(join(rootFolder, path)))).toEqual([])
})

it('the page of threats says of each threat what shows its answer, or what stays open', () => {
  const rows = text.split('\n').filter((line) => /^\| (?!threat|-)/.test(line))
  const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()))
  expect(cells.filter(({ length }) => length !== 6)).toEqual([])
  expect(cells.filter(([, , , shownBy, open]) => shownBy === '' && open === '')).toEqual([])
})
