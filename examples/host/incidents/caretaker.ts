import type { AutoVolt, Case } from '@autovolt/data'
import type { ObjectId } from 'mongodb'

const email = 'caretaker@school.example'
const everyMs = 10_000
/** Those who look at the desk may be first. */
const waitsMs = 90_000

/** What is said of each kind of alert once somebody was there. */
const findings: Readonly<Record<string, string>> = {
  over_temperature: 'The fan was full of dust. Cleaned.',
  over_current: 'A capacitor of the power factor correction is worn. Replaced.',
  over_voltage: 'The grid operator has changed the tap of the transformer.',
  under_voltage: 'A long extension lead was in use. Taken away.',
  over_power: 'Someone had plugged in heaters. Unplugged.',
  idle_use: 'The dishwasher was left on. Switched off.',
  meter_stuck: 'The pulse input of the meter was loose. Tightened.',
  meter_backwards: 'The meter was set back by its service port. Sealed.',
  device_offline: 'It came back by itself. The signal there is weak.',
}

/** The simulated caretaker looks after cases whose alerts are over and that nobody else has taken. @returns how to end it. */
export async function startCaretaker(volt: AutoVolt): Promise<() => Promise<void>> {
  const known = await volt.users.findByEmail(email)
  const { _id } =
    known ?? (await volt.users.create({ email, name: 'Devi, caretaker', role: 'user', userType: 'staff' }))
  let turn = Promise.resolve()
  const timer = setInterval(() => {
    turn = turn.then(() => goRound(volt, _id)).catch(() => undefined)
  }, everyMs)
  return async () => {
    clearInterval(timer)
    await turn
  }
}

async function goRound(volt: AutoVolt, caretaker: ObjectId): Promise<void> {
  const untaken = await volt.cases.find({ isOpen: true, assignee: null }, { sort: { _id: 1 }, limit: 20 })
  for (const one of untaken) if (await isOver(volt, one)) await volt.cases.change(one._id, { assignee: caretaker })
  // One step of each at a time, so that it takes a while, as it does.
  for (const one of await volt.cases.find({ assignee: caretaker, status: 'resolved' }, { limit: 20 }))
    await volt.cases.move(one._id, 'closed', { by: caretaker })
  for (const one of await volt.cases.find({ assignee: caretaker, status: 'in_progress' }, { limit: 20 })) {
    const resolution = findings[one.tags[0] ?? ''] ?? 'Looked at, and set right.'
    await volt.cases.comment(one._id, { author: caretaker, text: resolution })
    await volt.cases.move(one._id, 'resolved', { by: caretaker, resolution })
  }
  for (const one of await volt.cases.find({ assignee: caretaker, status: 'open' }, { limit: 20 }))
    await volt.cases.move(one._id, 'in_progress', { by: caretaker })
}

async function isOver(volt: AutoVolt, { _id, lastAlertAt, createdAt }: Case): Promise<boolean> {
  if (Date.now() - (lastAlertAt ?? createdAt).getTime() < waitsMs) return false
  return !(await volt.alerts.exists({ case: _id, resolved: false }))
}
