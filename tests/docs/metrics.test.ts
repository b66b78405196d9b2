import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { metricPage, metricPageFile } from '../../scripts/metric-page.js'

it('the page of metrics is as `npm run docs:indexes` writes it', () => {
  expect(readFileSync(metricPageFile, 'utf8')).toBe(metricPage())
})
