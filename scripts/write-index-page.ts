// Writes docs/indexes.md, the roles of docs/roles.md and the table of docs/metrics.md anew: to be run after one of them was changed.
import { writeFileSync } from 'node:fs'
import { indexPage, indexPageFile } from './index-page.js'
import { metricPage, metricPageFile } from './metric-page.js'
import { rolePage, rolePageFile } from './role-page.js'

writeFileSync(indexPageFile, indexPage())
writeFileSync(rolePageFile, rolePage())
writeFileSync(metricPageFile, metricPage())
