import { DatabaseError } from '../core/errors.js'

/** Whether something could not be done because the ledger is damaged. */
export function isLedgerDamage(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === 'LEDGER_DAMAGED'
}
