// Runs snippets one after the other in one process: most of what each takes alone is the start of a process.
import { inspect } from 'node:util'
import { onParentMessage, tellParent } from '../support/parent.js'

let errors = ''
const note = (text: unknown) => {
  errors += `${String(text)}\n`
}
// What a snippet writes to its standard error is of that snippet.
process.stderr.write = (text: string | Uint8Array) => {
  note(text)
  return true
}
process.on('uncaughtException', (error) => note(inspect(error)))
process.on('unhandledRejection', (error) => note(inspect(error)))

onParentMessage('run', async ({ program, dbName, folder }) => {
  errors = ''
  process.env.SNIPPET_DATABASE = String(dbName)
  process.chdir(String(folder))
  try {
    await import(String(program))
  } catch (error) {
    note(inspect(error))
  }
  tellParent({ type: 'ran', errors })
})
tellParent({ type: 'ready' })
