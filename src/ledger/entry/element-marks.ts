import { ByteMark } from './byte-mark.js'
import { elements } from './entry-bytes.js'

/** The names of the fields of an entry, and of what is in them. */
export type ElementName = keyof typeof elements

/** What each field of a stored entry begins with: its type and name. */
export const elementMarks = Object.fromEntries(
  Object.entries(elements).map(([name, bytes]) => [name, new ByteMark(bytes)]),
) as Readonly<Record<ElementName, ByteMark>>
