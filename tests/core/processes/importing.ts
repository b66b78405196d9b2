import { createRequire } from 'node:module'
import { tellParent } from '../../support/parent.js'

const { connections } = createRequire(import.meta.url)('mongoose') as { connections: unknown[] }

function state() {
  return {
    listeners: Object.fromEntries(process.eventNames().map((name) => [String(name), process.listenerCount(name)])),
    resources: process.getActiveResourcesInfo().sort(),
    connections: connections.length,
    // Zod keeps its own settings there.
    globals: Object.getOwnPropertyNames(globalThis).filter((name) => !name.startsWith('__zod')),
  }
}

const before = state()
await Promise.all(process.argv.slice(2).map((entry) => import(entry)))
tellParent({ type: 'imported', before, after: state() })
