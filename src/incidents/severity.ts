import { z } from 'zod'
import type { EntityRule } from '../core/entity.js'

/** From the least to the worst. As words they would sort otherwise: documents have the rank beside the word. */
export const severities = ['low', 'medium', 'high', 'critical'] as const
export type Severity = (typeof severities)[number]

/** From what can wait to what cannot. */
export const priorities = ['low', 'medium', 'high', 'urgent'] as const
export type Priority = (typeof priorities)[number]

/** 1 for the lowest, 4 for the highest. */
export const rank = () => z.int().min(1).max(4)

export function rankOf(words: readonly string[], word: string): number {
  return words.indexOf(word) + 1
}

/** The rank agrees with the word. */
export function rankRule(field: string, rankField: string, words: readonly string[]): EntityRule {
  return {
    path: rankField,
    message: `expected the rank of \`${field}\``,
    check: (document) => document[rankField] === rankOf(words, String(document[field])),
    expression: { $eq: [`$${rankField}`, { $add: [{ $indexOfArray: [[...words], `$${field}`] }, 1] }] },
  }
}

/** The severity of a rank. */
export function wordOf(severityRank: number): Severity {
  return severities[severityRank - 1] ?? 'low'
}
