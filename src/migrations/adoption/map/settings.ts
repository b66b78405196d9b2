import type { Document } from 'mongodb'
import { isRecord } from '../../../core/is-record.js'
import { type PowerSettingsInput, powerSettingsEntity } from '../../../energy/tariffs/power-settings.js'
import { type Mapped, Mapping } from './mapped.js'
import type { KindRatings } from './switches.js'

/**
 * The first settings that fit. The origin's five prices contradict each other: where `cost_versions` say one, that is taken.
 * @param pricePerKwh What `cost_versions` say; undefined if there are none.
 */
export function mapSettings(
  documents: readonly Document[],
  currency: string,
  pricePerKwh: number | undefined,
): Mapped<PowerSettingsInput> {
  const mapping = new Mapping('powersettings', powerSettingsEntity.inputSchema)
  for (const document of documents) {
    if (mapping.inputs.length > 0) {
      mapping.leave(document, 'other settings were taken')
      continue
    }
    const electricityPrice: number = pricePerKwh ?? document.electricityPrice
    const isAdded = mapping.add(document, { electricityPrice, currency, deviceTypes: typesOf(document) })
    if (isAdded && document.electricityPrice !== electricityPrice)
      mapping.note(document, 'its price is another than that of cost_versions, and was not taken')
    if (isAdded && document.currency !== currency) mapping.note(document, 'its currency is no ISO 4217 code')
  }
  return mapping
}

function typesOf({ deviceTypes }: Document): PowerSettingsInput['deviceTypes'] {
  if (!Array.isArray(deviceTypes)) return []
  return deviceTypes.map((one) => {
    if (!isRecord(one)) return one
    const { type, name, powerConsumption, unit } = one
    return { type, name, powerConsumption, unit }
  }) as PowerSettingsInput['deviceTypes']
}

/** What the kinds of switches take, W. */
export function kindRatings({ inputs }: Mapped<PowerSettingsInput>): KindRatings {
  const types = inputs[0]?.input.deviceTypes ?? []
  return Object.fromEntries(
    types.map(({ type, powerConsumption, unit }) => [type, unit === 'kW' ? powerConsumption * 1000 : powerConsumption]),
  )
}
