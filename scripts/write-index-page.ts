// Writes docs/indexes.md anew, from the entities: to be run after an index was added or changed.
import { writeFileSync } from 'node:fs'
import { indexPage, indexPageFile } from './index-page.js'

writeFileSync(indexPageFile, indexPage())
