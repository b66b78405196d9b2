import { BSON, type Document } from 'mongodb'

/** Fields that hold no energy, time or money. */
const ignoredFields = new Set(['_id', '__v', 'createdAt', 'updatedAt', 'esp32_name', 'switch_name'])

/** Whether two roll-ups say the same, to the milliwatt-second and the last digit of the cost. */
export function isSameRollUp(a: Document, b: Document): boolean {
  return bytesOf(a).equals(bytesOf(b))
}

function bytesOf(document: Document): Buffer {
  return Buffer.from(BSON.serialize(inOrder(document), { ignoreUndefined: true }))
}

function inOrder(document: Document): Document {
  const entries = Object.entries(document).filter(([name]) => !ignoredFields.has(name))
  const ordered: Document = Object.fromEntries(entries.sort(([x], [y]) => (x < y ? -1 : 1)))
  const switches = ordered.switch_breakdown
  return Array.isArray(switches) ? { ...ordered, switch_breakdown: switches.map(inOrder) } : ordered
}
