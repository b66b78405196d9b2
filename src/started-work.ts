import { z } from 'zod'
import { DatabaseError } from './core/errors.js'
import { everyMs } from './core/option-schemas.js'
import { validateData } from './core/validate.js'
import type { Services } from './domains.js'
import { type RegisterStartOptions, registerStartSchema } from './energy/registers/register-updater.js'
import { type RollUpStartOptions, rollUpStartSchema } from './energy/roll-ups/roll-ups.js'

/** What `volt.start()` is to do, and how often; `false` leaves a work to another process, or to nobody. */
export interface StartOptions {
  /** Hours, days and months of energy and cost, which `volt.analytics` answers from. @default every 10 s */
  readonly rollUps?: RollUpStartOptions | false
  /** The registers of switches with `ledgerRecording: 'quarter_hours'`. @default every 30 s */
  readonly registers?: RegisterStartOptions | false
  /** Signed checkpoints of the ledger. @default every 60 s if the handle has a signer key, else none are made */
  readonly checkpoints?: { readonly everyMs?: number } | false
}

const checkpointsSchema = z.strictObject({ everyMs: everyMs().default(60_000) })
const startSchema = z.strictObject({
  rollUps: z.union([rollUpStartSchema, z.literal(false)]).default({ everyMs: 10_000 }),
  registers: z.union([registerStartSchema, z.literal(false)]).default({ everyMs: 30_000 }),
  checkpoints: z.union([checkpointsSchema, z.literal(false)]).optional(),
})

/**
 * Starts what a host usually wants kept.
 * @returns the functions that stop it.
 * @throws ValidationError; DatabaseError `CONFIGURATION` for checkpoints without a signer key. Nothing was started then.
 */
export function startWork(
  { rollUps, registers, ledger }: Pick<Services, 'rollUps' | 'registers' | 'ledger'>,
  options: StartOptions,
  canSign: boolean,
): (() => Promise<void>)[] {
  const chosen = validateData(startSchema, options, 'The options')
  if (chosen.checkpoints && !canSign) {
    throw new DatabaseError('CONFIGURATION', 'Checkpoints are signed: open the handle with `ledgerLog.signerKeys`')
  }
  const checkpoints = chosen.checkpoints ?? (canSign && { everyMs: 60_000 })
  return [
    ...(chosen.rollUps ? [rollUps.start(chosen.rollUps)] : []),
    ...(chosen.registers ? [registers.start(chosen.registers)] : []),
    ...(checkpoints ? [ledger.startCheckpoints(checkpoints.everyMs)] : []),
  ]
}
