import type { Migration, MigrationContext } from '../../migration.js'
import { type LegacyParts, legacyBackfill } from './legacy-backfill.js'
import { byDevice } from './legacy-pages.js'
import { type LegacyLeft, type LegacyTotal, legacyTotals } from './legacy-totals.js'

/**
 * Appends the records of `power_consumption` to the ledger, a switch_on and a switch_off each, and compares what they come to
 * by switch and day. Entries of the ledger are never taken back, so there is no `down`.
 */
export function legacyConsumption(parts: LegacyParts): Migration {
  return {
    id: 'autovolt-8-legacy-consumption',
    description: 'records of power_consumption are in the ledger',
    up: [{ collection: parts.collection, indexes: [{ key: byDevice }] }, legacyBackfill(parts)],
    verify: (context) => compare(parts, context),
  }
}

const shownDays = 20
const shownIds = 5
/** Currency units; what rounding in the records can make of a day. */
const smallestCost = 0.01

/** @throws Error if the ledger has another energy than the records that are in it. */
async function compare(parts: LegacyParts, { note, progress, signal }: MigrationContext): Promise<void> {
  const sum = { migrated: 0, days: 0, recordsWs: 0, recordsCost: 0, ledgerCost: 0 }
  const switches = new Set<string>()
  const wrong: LegacyTotal[] = []
  const costly: LegacyTotal[] = []
  const reasons = new Map<string, string[]>()
  const counts = new Map<string, number>()
  const leave = ({ id, reason }: LegacyLeft) => {
    counts.set(reason, (counts.get(reason) ?? 0) + 1)
    const examples = reasons.get(reason) ?? []
    reasons.set(reason, examples)
    if (examples.length < shownIds) examples.push(id)
  }
  for await (const { totals, left, migrated } of legacyTotals(parts)) {
    signal.throwIfAborted()
    sum.migrated += migrated
    for (const one of left) leave(one)
    for (const total of totals) {
      sum.days += 1
      sum.recordsWs += total.recordsEnergyWs
      sum.recordsCost += total.recordsCost
      sum.ledgerCost += total.ledgerCost
      switches.add(total.switchId.toHexString())
      if (total.recordsEnergyWs !== total.ledgerEnergyWs && wrong.length < shownDays) wrong.push(total)
      if (Math.abs(total.recordsCost - total.ledgerCost) >= smallestCost && costly.length < shownDays)
        costly.push(total)
    }
    progress(sum.migrated)
  }
  if (wrong.length > 0) throw new Error(`the ledger differs from the records: ${wrong.map(energyText).join('; ')}`)
  if (sum.migrated === 0 && counts.size === 0) return
  note(
    `${sum.migrated} records are in the ledger, ${switches.size} switches on ${sum.days} days: ${(sum.recordsWs / 3_600_000).toFixed(3)} kWh in both, a cost of ${sum.recordsCost.toFixed(2)} in the records and ${sum.ledgerCost.toFixed(2)} in the ledger`,
  )
  for (const [reason, examples] of reasons)
    note(`${counts.get(reason)} records were left where they are: ${reason} (${examples.join(', ')})`)
  for (const total of costly) note(costText(total))
}

function energyText({ switchId, day, recordsEnergyWs, ledgerEnergyWs }: LegacyTotal): string {
  return `switch ${switchId.toHexString()} on ${day}: ${recordsEnergyWs} W·s in the records, ${ledgerEnergyWs} W·s in the ledger`
}

function costText({ switchId, day, recordsCost, ledgerCost }: LegacyTotal): string {
  return `switch ${switchId.toHexString()} on ${day}: a cost of ${recordsCost.toFixed(2)} in the records, ${ledgerCost.toFixed(2)} by their prices`
}
