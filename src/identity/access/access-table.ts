import { z } from 'zod'
import { validateData } from '../../core/validate.js'
import { type AccessTableRow, accessActions } from './access-rule.js'

const rowsSchema = z
  .array(
    z.strictObject({
      role: z.string(),
      entity: z.string(),
      action: z.enum(accessActions),
      scopes: z.array(z.string()),
    }),
  )
  .max(100_000)

/** The table of access as Markdown: a line for each entity and action, a column for each role. An empty cell is denied. */
export function accessTableText(rows: readonly AccessTableRow[]): string {
  const known = validateData(rowsSchema, rows, 'The rows')
  const roles = [...new Set(known.map(({ role }) => role))]
  const entities = [...new Set(known.map(({ entity }) => entity))]
  const lines = entities.flatMap((entity) =>
    accessActions.flatMap((action) => {
      const ofLine = known.filter((row) => row.entity === entity && row.action === action)
      const cells = roles.map((role) => ofLine.find((row) => row.role === role)?.scopes.join(', ') ?? '')
      return ofLine.length === 0 ? [] : [[entity, action, ...cells]]
    }),
  )
  return [['entity', 'action', ...roles], ['---', '---', ...roles.map(() => '---')], ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
}
