import { Decimal128, ObjectId } from 'mongodb'
import {
  type BadDocument,
  badFormat,
  type Catalogue,
  extra,
  managedFields,
  missing,
  notFinite,
  outOfRange,
  tooLong,
  wrongType,
} from './bad-documents.js'

const zero = () => Decimal128.fromString('0')

const someTotals = () => ({
  energy_mws: 3.6e9,
  production_mws: 0,
  on_ms: 3_600_000,
  measured_ms: 3_600_000,
  estimated_ms: 0,
  missing_ms: 0,
  cost_exact: Decimal128.fromString('27000000000000000'),
  earnings_exact: zero(),
  carbon_exact: zero(),
})

const somewhere = () => ({
  device_id: new ObjectId(),
  esp32_name: 'ESP32 101',
  classroom: new ObjectId(),
  time_zone: 'Asia/Kolkata',
  tariff: 'default',
})

const shown = () => ({
  total_kwh: 1,
  production_kwh: 0,
  on_time_sec: 3600,
  cost_at_calc_time: 7.5,
  cost_per_kwh_used: 7.5,
  currency: 'INR',
  cost_versions: [new ObjectId()],
  switch_count: 1,
  quality_score: 100,
  confidence: 'high',
})

const aSwitch = () => ({
  switch_id: new ObjectId(),
  switch_name: 'Fan',
  ...someTotals(),
  energy_kwh: 1,
  on_time_sec: 3600,
  cost: 7.5,
})

const hours = () => Array.from({ length: 24 }, () => 0)

function aDay(): Record<string, unknown> {
  const slots = { at_ms: [0], energy_mws: [3.6e9], on_ms: [3_600_000], measured_ms: [3_600_000] }
  return {
    ...somewhere(),
    date_string: '2026-03-02',
    starts_at: new Date('2026-03-01T18:30:00Z'),
    ends_at: new Date('2026-03-02T18:30:00Z'),
    ...someTotals(),
    ...shown(),
    switch_breakdown: [{ ...aSwitch(), slots }],
  }
}

function aMonth(): Record<string, unknown> {
  return {
    ...somewhere(),
    month: '2026-03',
    ...someTotals(),
    ...shown(),
    hours_mws: hours(),
    hours_switches: hours(),
    days: { day: [2], energy_mws: [3.6e9], production_mws: [0], cost_exact: [zero()] },
    switch_breakdown: [{ ...aSwitch(), hours_mws: hours() }],
  }
}

const energies = ['energy_mws', 'production_mws']
const durations = ['on_ms', 'measured_ms', 'estimated_ms', 'missing_ms']
const exact = ['cost_exact', 'earnings_exact', 'carbon_exact']

const wrongTotals = (at: string): BadDocument[] => [
  ...energies.flatMap((name) => [
    wrongType(at + name, '1'),
    missing(at + name),
    outOfRange(at + name, 0.5),
    outOfRange(at + name, 1e16),
    ...notFinite(at + name),
  ]),
  ...durations.flatMap((name) => [wrongType(at + name, '1'), missing(at + name), outOfRange(at + name, -1)]),
  ...exact.flatMap((name) => [wrongType(at + name, 1), missing(at + name)]),
]

const wrongPlace: readonly BadDocument[] = [
  ...['device_id', 'classroom'].flatMap((path) => [wrongType(path, 5), missing(path)]),
  ...['esp32_name', 'time_zone', 'tariff'].flatMap((path) => [wrongType(path, 5), missing(path), tooLong(path, 201)]),
]

const wrongShown: readonly BadDocument[] = [
  ...['total_kwh', 'production_kwh', 'cost_at_calc_time', 'cost_per_kwh_used'].flatMap((path) => [
    wrongType(path, '1'),
    missing(path),
    ...notFinite(path),
  ]),
  ...['on_time_sec', 'switch_count', 'quality_score'].flatMap((path) => [
    wrongType(path, '1'),
    missing(path),
    outOfRange(path, -1),
  ]),
  outOfRange('quality_score', 100.5),
  wrongType('currency', 5),
  missing('currency'),
  badFormat('currency', 'EURO'),
  wrongType('cost_versions', 'none'),
  missing('cost_versions'),
  wrongType('confidence', 1),
  missing('confidence'),
  badFormat('confidence', 'certain'),
]

const wrongSwitch: readonly BadDocument[] = [
  wrongType('switch_breakdown', 'none'),
  missing('switch_breakdown'),
  wrongType('switch_breakdown.0.switch_id', 5),
  missing('switch_breakdown.0.switch_id'),
  wrongType('switch_breakdown.0.switch_name', 5),
  ...wrongTotals('switch_breakdown.0.'),
  ...['energy_kwh', 'on_time_sec', 'cost'].flatMap((name) => [
    wrongType(`switch_breakdown.0.${name}`, '1'),
    missing(`switch_breakdown.0.${name}`),
  ]),
  extra('switch_breakdown.0.colour'),
]

export const dailyAggregates: Catalogue = {
  good: aDay,
  bad: [
    ...managedFields,
    ...wrongPlace,
    ...wrongTotals(''),
    ...wrongShown,
    ...wrongSwitch,
    wrongType('date_string', 5),
    missing('date_string'),
    badFormat('date_string', '2.3.2026'),
    ...['starts_at', 'ends_at'].flatMap((path) => [wrongType(path, 5), missing(path)]),
    wrongType('price_cuts_ms', 5),
    wrongType('calendar_digest', 5),
    badFormat('calendar_digest', '0123456789ABCDEF'),
    wrongType('switch_breakdown.0.adjusted_cost_exact', 5),
    missing('switch_breakdown.0.slots'),
    ...['at_ms', 'energy_mws', 'on_ms', 'measured_ms'].flatMap((name) => [
      wrongType(`switch_breakdown.0.slots.${name}`, 5),
      missing(`switch_breakdown.0.slots.${name}`),
      outOfRange(`switch_breakdown.0.slots.${name}.0`, 0.5),
    ]),
    ...['production_mws', 'estimated_ms', 'missing_ms'].map((name) => wrongType(`switch_breakdown.0.slots.${name}`, 5)),
    extra('switch_breakdown.0.slots.colour'),
    extra('colour'),
  ],
}

export const monthlyAggregates: Catalogue = {
  good: aMonth,
  bad: [
    ...managedFields,
    ...wrongPlace,
    ...wrongTotals(''),
    ...wrongShown,
    ...wrongSwitch,
    wrongType('month', 5),
    missing('month'),
    badFormat('month', '2026-3'),
    ...['hours_mws', 'hours_switches', 'switch_breakdown.0.hours_mws'].flatMap((path) => [
      wrongType(path, 5),
      missing(path),
      outOfRange(path, [0]),
      outOfRange(`${path}.0`, 0.5),
    ]),
    wrongType('days', 5),
    missing('days'),
    ...['day', 'energy_mws', 'production_mws', 'cost_exact'].flatMap((name) => [
      wrongType(`days.${name}`, 5),
      missing(`days.${name}`),
      wrongType(`days.${name}.0`, 'one'),
    ]),
    outOfRange('days.day.0', 32),
    extra('days.colour'),
    extra('colour'),
  ],
}

const aFact = () => ({
  source: 'counter',
  isProduction: false,
  deviceId: new ObjectId(),
  classroom: new ObjectId(),
  atMs: 1_772_000_000_000,
  boot: 'b1',
  sequence: 7,
  digest: 'key:1',
  on: true,
  isRestart: false,
  powerW: 60,
  ratedPowerW: 40,
  energyWh: 1500,
  counter: { quantumWh: 1, widthWh: 65_536, maximumPowerW: 25_000 },
  gapLimitMs: 300_000,
  silentSinceMs: 1_771_000_000_000,
  ratePerKwh: 7.5,
  entrySequence: 5,
})

const ofFact = (name: string) => `last_fact.${name}`
const factNumbers = ['powerW', 'ratedPowerW', 'energyWh', 'gapLimitMs', 'ratePerKwh'].map(ofFact)
const factIntegers = ['atMs', 'sequence', 'silentSinceMs', 'entrySequence'].map(ofFact)

export const rollUpCursors: Catalogue = {
  good: () => ({
    through_sequence: 5,
    last_fact: aFact(),
    is_pending: true,
    unknown_until: new Date('2026-03-01T10:00:00Z'),
  }),
  bad: [
    ...managedFields,
    wrongType('through_sequence', '5'),
    missing('through_sequence'),
    outOfRange('through_sequence', -1),
    outOfRange('through_sequence', 0.5),
    ...notFinite('through_sequence'),
    wrongType('is_pending', 'no'),
    wrongType('unknown_until', 5),
    wrongType('last_fact', 5),
    ...[...factNumbers, ...factIntegers].flatMap((path) => [wrongType(path, '1'), ...notFinite(path)]),
    ...factIntegers.map((path) => outOfRange(path, 0.5)),
    ...['source', 'isProduction', 'deviceId', 'classroom', 'atMs', 'ratedPowerW', 'energyWh'].map((name) =>
      missing(ofFact(name)),
    ),
    ...['isProduction', 'deviceId', 'classroom', 'on', 'isRestart', 'boot', 'digest', 'counter'].map((name) =>
      wrongType(ofFact(name), 5),
    ),
    badFormat('last_fact.source', 'guess'),
    tooLong('last_fact.boot', 65),
    tooLong('last_fact.digest', 201),
    ...['quantumWh', 'widthWh', 'maximumPowerW'].map((name) => wrongType(`last_fact.counter.${name}`, '1')),
    extra('last_fact.counter.colour'),
    extra('last_fact.colour'),
    extra('colour'),
  ],
}
