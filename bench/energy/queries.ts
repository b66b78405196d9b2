import type { AutoVolt } from '@autovolt/data'
import { type GroupContext, median, type Row, ratioRow, secondsOf, spreadOf, valueRow } from '../harness.js'
import { type Board, boards, writeRollUps } from './roll-up-data.js'

const switches = 2000
const intervalsInMonth = 1_000_000
const january = { from: '2026-01-01', to: '2026-01-31' }

/** What is asked for, from the roll-ups of a month, or of a year with ten times the data. */
export async function benchQueries(volt: AutoVolt, context: GroupContext): Promise<Row[]> {
  const own = boards(switches)
  const months = context.documents > intervalsInMonth ? 12 : 1
  context.say(`roll-ups of ${switches} switches, ${months} months`)
  await writeRollUps(volt, own, months)
  const { analytics } = volt
  const day = { from: '2026-01-15', to: '2026-01-15' }
  const questions = {
    'daily by classroom, a day': () => analytics.dailyByClassroom(day),
    'monthly trend': () => analytics.monthlyTrends({ from: '2026-01', to: '2026-12' }),
    'peak hours of a month': () => analytics.peakHours(january),
    'device efficiency, a page of 50': () => analytics.deviceEfficiencyPage(january),
  }
  const rows: Row[] = []
  for (const [name, ask] of Object.entries(questions)) {
    rows.push(valueRow(`${name}, p95`, 'ms', { value: await p95Of(ask, context.rounds) }, { atMost: 10 }))
  }
  return [...rows, await wholeReport(volt, own, context)]
}

/** Milliseconds that all but a twentieth of the calls take. */
async function p95Of(ask: () => Promise<unknown>, rounds: number): Promise<number> {
  for (let at = 0; at < 20; at += 1) await ask()
  const times: number[] = []
  for (let at = 0; at < rounds * 40; at += 1) times.push(1000 * (await secondsOf(ask)))
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.95)] ?? Number.NaN
}

/** The efficiency of all devices over a month, against a join of each interval before they are added up. */
async function wholeReport(volt: AutoVolt, own: readonly Board[], context: GroupContext): Promise<Row> {
  const count = Math.min(context.documents, intervalsInMonth)
  context.say(`${count} intervals for the baseline`)
  await writeIntervals(volt, own, count)
  const joined = [
    { $lookup: { from: 'bench_devices', localField: 'device_id', foreignField: '_id', as: 'device' } },
    { $unwind: '$device' },
    {
      $group: {
        _id: '$device_id',
        deviceName: { $first: '$device.name' },
        classroom: { $first: '$device.classroom' },
        totalEnergy: { $sum: '$delta_wh' },
        totalDuration: { $sum: '$switch_on_duration_seconds' },
        uniqueSwitches: { $addToSet: '$switch_id' },
      },
    },
    { $sort: { totalEnergy: -1 } },
  ]
  const baseline = await secondsOf(() =>
    volt.database.native.collection('bench_intervals').aggregate(joined, { allowDiskUse: true }).toArray(),
  )
  const times: number[] = []
  for (let at = 0; at < context.rounds * 5; at += 1) {
    times.push(await secondsOf(() => volt.analytics.deviceEfficiency(january)))
  }
  const perSecond = times.map((seconds) => 1 / seconds)
  const value = median(perSecond)
  const measured = {
    value,
    baseline: 1 / baseline,
    ratio: value * baseline,
    valueSpread: spreadOf(perSecond),
    ratioSpread: spreadOf(perSecond.map((reports) => reports * baseline)),
  }
  return ratioRow('whole device efficiency report', 'reports/s', measured, { atLeast: 300 })
}

async function writeIntervals(volt: AutoVolt, own: readonly Board[], count: number): Promise<void> {
  const { native } = volt.database
  await native.collection<Board>('bench_devices').insertMany([...own])
  const startMs = Date.parse(january.from)
  for (let from = 0; from < count; from += 10_000) {
    const intervals = Array.from({ length: Math.min(10_000, count - from) }, (_, at) => {
      const board = own[(from + at) % own.length] as Board
      const start = new Date(startMs + ((from + at) / count) * 31 * 86_400_000)
      return {
        device_id: board._id,
        switch_id: board.switches[at % board.switches.length],
        classroom: board.classroom,
        start_ts: start,
        end_ts: new Date(start.getTime() + 600_000),
        switch_on_duration_seconds: 600,
        delta_wh: Math.random() * 300,
      }
    })
    await native.collection('bench_intervals').insertMany(intervals)
  }
}
