import { type AutoVolt, where } from '@autovolt/data'
import { roomNames } from '../simulator/school-plan.js'

/** Energy and cost of each classroom since its midnight. */
export async function readClassrooms(volt: AutoVolt) {
  const rooms = await volt.classrooms.find({ name: where.in(roomNames) }, { sort: { name: 1 } })
  const today = new Map(rooms.map(({ timeZone }) => [timeZone, civilDay(timeZone)]))
  const days = [...today.values()].toSorted()
  const [from, to] = [days[0], days.at(-1)]
  const rows = from === undefined || to === undefined ? [] : await volt.energy.dailyByClassroom({ from, to })
  return rooms.map((room) => {
    const day = today.get(room.timeZone)
    const row = rows.find((one) => one.classroom.equals(room._id) && one.day === day)
    return {
      id: room._id.toHexString(),
      name: room.name,
      timeZone: room.timeZone,
      day,
      energyKwh: row?.energyKwh ?? 0,
      productionKwh: row?.productionKwh ?? 0,
      cost: row?.cost ?? 0,
      currency: row?.currency ?? null,
      confidence: row?.confidence ?? null,
      measuredSeconds: row?.measuredSeconds ?? 0,
      estimatedSeconds: row?.estimatedSeconds ?? 0,
      missingSeconds: row?.missingSeconds ?? 0,
    }
  })
}

/** The day that it is in a time zone, as `YYYY-MM-DD`. */
function civilDay(timeZone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone }).format(new Date())
}
