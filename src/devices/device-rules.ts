import type { EntityRule } from '../core/entity.js'
import { kindRules } from './device-kinds.js'
import { pinRules } from './pins.js'

/** Of a list's items no two have the same value there. */
function distinct(list: string, field: string): EntityRule {
  return {
    path: list,
    message: `two ${list} have the same ${field}`,
    check: (document) => {
      const values = (document[list] as readonly Record<string, unknown>[]).map((item) => String(item[field]))
      return new Set(values).size === values.length
    },
    expression: { $eq: [{ $size: { $setUnion: [`$${list}.${field}`, []] } }, { $size: `$${list}` }] },
  }
}

export const deviceRules: readonly EntityRule[] = [
  distinct('switches', 'gpio'),
  distinct('switches', '_id'),
  distinct('switches', 'name'),
  distinct('capabilities', 'name'),
  ...kindRules,
  ...pinRules,
]
