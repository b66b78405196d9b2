import type { AlertRuleInput, AutoVolt } from '@autovolt/data'

interface Rule extends Omit<AlertRuleInput, 'classroom'> {
  /** The name of the room that it is about; all of the school if left out. */
  readonly room?: string
}

/** What is wrong has to be wrong for a while, and right for a while before it counts as over. */
const steady = { holdMs: 4_000, clearHoldMs: 9_000 }
const atAnyHour = [{ from: '00:00', until: '00:00' }]

/** The limits are beyond what the simulated loads do when nothing is wrong with them. */
const rules: readonly Rule[] = [
  { name: 'Too hot', kind: 'over_temperature', severity: 'critical', raiseAt: 65, clearAt: 55, ...steady },
  { name: 'Too much current', kind: 'over_current', severity: 'high', raiseAt: 45, clearAt: 40, ...steady },
  { name: 'Voltage too high', kind: 'over_voltage', severity: 'high', raiseAt: 250, clearAt: 244, ...steady },
  { name: 'Voltage too low', kind: 'under_voltage', severity: 'medium', raiseAt: 207, clearAt: 214, ...steady },
  { name: 'Too much power', kind: 'over_power', severity: 'high', raiseAt: 7_000, clearAt: 6_000, ...steady },
  {
    name: 'Used in the closed kitchen',
    kind: 'idle_use',
    severity: 'low',
    room: 'Cafeteria',
    raiseAt: 3_000,
    clearAt: 2_600,
    times: atAnyHour,
    ...steady,
  },
  { name: 'Counter stands still', kind: 'meter_stuck', severity: 'medium', raiseAt: 400, clearAt: 100, ...steady },
  {
    name: 'Counter went back',
    kind: 'meter_backwards',
    severity: 'high',
    raiseAt: 50,
    clearAt: 0,
    clearHoldMs: 40_000,
  },
  { name: 'No word of a device', kind: 'device_offline', severity: 'medium', holdMs: 45_000 },
]

/** A critical alert that nobody has acknowledged for so long rings the bell of the administrator. */
const bellAfterMs = 15 * 60_000

/** Registers the rules of the school, and who hears of what nobody looks at. Does no harm twice. */
export async function registerAlertRules(volt: AutoVolt): Promise<void> {
  for (const { room, ...rule } of rules) {
    if (await volt.alertRules.exists({ name: rule.name })) continue
    const classroom = room === undefined ? null : await volt.classrooms.findOne({ name: room })
    await volt.alertRules.create({ ...rule, ...(classroom !== null && { classroom: classroom._id }) })
  }
  const admin = await volt.users.findOne({ role: 'admin' })
  if (admin === null || (await volt.escalations.exists({}))) return
  const steps = [{ afterMs: bellAfterMs, users: [admin._id] }]
  await volt.escalations.create({ name: 'Nobody looks', minimumSeverity: 'critical', steps })
}
