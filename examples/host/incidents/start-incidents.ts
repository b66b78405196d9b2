import type { AutoVolt } from '@autovolt/data'
import type { Resources } from '../resources.js'
import { registerAlertRules } from './alert-rules.js'
import { startCaretaker } from './caretaker.js'

/** Somebody looks at the page: sooner than a school would need it. */
const everyMs = 2_000
/** Readings come within a second, unless the machine is busy. */
const lateMs = 5_000

/** From here on rules open and close alerts, alerts are put to cases, and somebody looks after these. */
export async function startIncidents(volt: AutoVolt, resources: Resources): Promise<void> {
  await registerAlertRules(volt)
  resources.add('the rules', volt.alertRules.start({ everyMs, lateMs }))
  resources.add('the cases', volt.incidents.start({ everyMs, minimumSeverity: 'low' }))
  resources.add('the caretaker', await startCaretaker(volt))
}
