import type { AdoptionReport, CollectionAdoption, DayComparison } from '../migrations/adoption/report.js'

const treatments = {
  adopted: 'adopted',
  compared: 'compared with what is computed anew',
  kept: 'kept in adoption_extras',
  stays: 'no counterpart: they stay where they are',
} as const

/** The report of an adoption, for people. */
export function linesOf(report: AdoptionReport): string[] {
  const { system, from, isAssessment, collections, adopted, switches, wholeDevices, days, remarks } = report
  const switchWs = switches.reduce((sum, one) => sum + one.energyWs, 0)
  const wholeWh = wholeDevices.reduce((sum, one) => sum + one.energyWh, 0)
  return [
    `${from} is a database of ${system}`,
    ...collections.flatMap(collectionLines),
    ...Object.entries(adopted).map(([key, count]) => `${isAssessment ? 'would have' : 'has'} ${count} ${key}`),
    `${(switchWs / 3_600_000).toFixed(3)} kWh of ${switches.length} switches`,
    `${(wholeWh / 1000).toFixed(3)} kWh of ${wholeDevices.length} devices as a whole`,
    ...days.flatMap(dayLines),
    ...remarks.map((remark) => `! ${remark}`),
    ...(report.estimatedMs === undefined ? [] : [`It will take about ${durationText(report.estimatedMs)}`]),
    ...(isAssessment ? ['Nothing was written: say --yes to adopt'] : []),
  ]
}

function collectionLines({
  collection,
  documents,
  treatment,
  left,
  noted,
  reasons,
  conflicts,
}: CollectionAdoption): string[] {
  const found = left + noted > 0 ? `, ${left} left, ${noted} noted` : ''
  return [
    `${collection}: ${documents} documents, ${treatments[treatment]}${found}`,
    ...reasons.map(({ reason, count, examples }) => `  ${count} x ${reason} (${examples.join(', ')})`),
    ...conflicts.map(({ fields, count, examples }) => {
      const pairs = examples.map(({ originId, existingId }) => `${originId} there and ${existingId} here`)
      return `  ${count} x the same ${fields.join(', ')}: ${pairs.join(', ')}`
    }),
  ]
}

function dayLines({ collection, compared, differing, examples }: DayComparison): string[] {
  if (differing === 0) return []
  return [
    `${collection}: ${differing} of ${compared} days or months differ`,
    ...examples.map(
      ({ period, subject, subjectId, originWh, energyWh }) =>
        `  ${period} ${subject} ${subjectId.toHexString()}: ${originWh.toFixed(3)} Wh there, ${energyWh.toFixed(3)} Wh here`,
    ),
  ]
}

function durationText(durationMs: number): string {
  const seconds = Math.ceil(durationMs / 1000)
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} minutes`
}
