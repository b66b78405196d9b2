import type { Alert, AlertRule, AutoVolt } from '@autovolt/data'
import type { Visitor } from '../visitors.js'
import { alertView, caseView, namesOfPeople } from './incidents.js'
import { readNames } from './names.js'

const shownAlerts = 50
const beforeMs = 3 * 60_000
const afterMs = 90_000
/** Of a reading every five seconds more than an hour. */
const mostPoints = 1_000

type Quantity = 'power' | 'voltage' | 'current' | 'temperature' | 'counter_wh'

/** What is drawn around an alert of a kind. */
const quantityOf: Readonly<Record<string, Quantity>> = {
  over_temperature: 'temperature',
  over_current: 'current',
  over_voltage: 'voltage',
  under_voltage: 'voltage',
  meter_backwards: 'counter_wh',
}
const units: Readonly<Record<Quantity, string>> = {
  power: 'W',
  voltage: 'V',
  current: 'A',
  temperature: '°C',
  counter_wh: 'Wh',
}
/** The limits of the other kinds are not of what is drawn. */
const limited = ['over_temperature', 'over_current', 'over_voltage', 'under_voltage', 'over_power', 'idle_use']

/** One case: what it is, its alerts, what became of it, and what people say. @throws NotFoundError for who may not see it. */
export async function readCasePage(volt: AutoVolt, visitor: Visitor, id: string) {
  const found = await visitor.volt.cases.get(id)
  const [alerts, names, people] = await Promise.all([
    visitor.volt.alerts.find({ case: found._id }, { sort: { timestamp: -1, _id: -1 }, limit: shownAlerts }),
    readNames(volt),
    namesOfPeople(volt, [found]),
  ])
  const nameOf = (user?: { toHexString(): string }) => (user && people.get(user.toHexString())) ?? null
  return {
    ...caseView(found, names, people),
    startedAt: found.startedAt ?? null,
    resolvedAt: found.resolvedAt ?? null,
    closedAt: found.closedAt ?? null,
    resolution: found.resolution ?? null,
    alerts: alerts.map((alert) => alertView(alert, names)),
    history: found.history.map(({ at, by, field, from, to }) => ({
      at,
      by: nameOf(by),
      field,
      from: personOr(field, from, people),
      to: personOr(field, to, people),
    })),
    comments: found.comments.map(({ at, author, text }) => ({ at, author: nameOf(author), text })),
  }
}

/** What was measured around an alert, with the limit of its rule. @throws NotFoundError for who may not see it. */
export async function readAlertCurve(volt: AutoVolt, visitor: Visitor, id: string) {
  const alert = await visitor.volt.alerts.get(id)
  const quantity = quantityOf[alert.type] ?? 'power'
  const rule = await ruleOf(volt, alert)
  const from = new Date(alert.timestamp.getTime() - beforeMs)
  const to = new Date((alert.clearedAt ?? alert.resolvedAt ?? new Date()).getTime() + afterMs)
  return {
    id,
    type: alert.type,
    quantity,
    unit: units[quantity],
    limit: limited.includes(alert.type) ? (rule?.raiseAt ?? null) : null,
    from,
    to,
    at: alert.timestamp,
    until: alert.clearedAt ?? alert.resolvedAt ?? null,
    points: alert.device === undefined ? [] : await pointsOf(volt, alert, quantity, { from, to }),
  }
}

async function ruleOf(volt: AutoVolt, { source }: Alert): Promise<AlertRule | null> {
  const id = /^rule:([0-9a-f]{24})$/.exec(source)?.[1]
  return id === undefined ? null : volt.alertRules.findOne({ _id: id })
}

/** The values of the switch that the key of the alert names, else of the whole device. */
async function pointsOf(
  volt: AutoVolt,
  { key, device }: Alert,
  quantity: Quantity,
  time: { readonly from: Date; readonly to: Date },
) {
  const [, , , switchId] = key.split(':')
  const of = switchId === undefined ? { device: device ?? '' } : { switch: switchId }
  const range = { ...of, ...time, order: 'oldest' } as const
  if (quantity === 'temperature') {
    const { items } = await volt.telemetry.page(range, { limit: mostPoints })
    return items.flatMap(({ timestamp, name, value }) =>
      name === 'temperature' && typeof value === 'number' ? [{ at: timestamp, value }] : [],
    )
  }
  const { items } = await volt.measurements.page(range, { limit: mostPoints })
  return items.flatMap(({ timestamp, [quantity]: value }) => (value === undefined ? [] : [{ at: timestamp, value }]))
}

function personOr(field: string, value: string | undefined, people: ReadonlyMap<string, string>): string | null {
  if (value === undefined) return null
  return field === 'assignee' ? (people.get(value) ?? value) : value
}
