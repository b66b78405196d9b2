import { expect, it } from 'vitest'
import { setUpDatabase } from '../support/database.js'
import { full } from '../support/extent.js'
import { countWork } from './counted-work.js'

/** In the long form a megabyte of the worst characters, 100,000 keys and levels. */
it('the work of every public function grows with its input, and not faster', async () => {
  const { functions, found } = await countWork(setUpDatabase(), full ? 'whole' : 'slice')
  expect(found).toEqual([])
  expect(functions).toBeGreaterThan(120)
}, 1_800_000)
