import { isDeepStrictEqual } from 'node:util'
import type { AdoptionContext } from './context.js'

/** Makes the versions that are not there; one that is stays as it is, and another price is reported. */
export async function storePrices(context: AdoptionContext): Promise<void> {
  const { needs, registry, store } = context
  const { prices, settings } = registry
  for (const { input, document } of prices) {
    const { tariff = 'default', startsAt, pricePerKwh } = input
    const found = await needs.tariffs.findOne({ tariff, startsAt: new Date(startsAt) })
    if (found === null && store !== undefined) await needs.tariffs.set(input, { actor: 'adoption' })
    if (found === null || found.pricePerKwh === pricePerKwh) continue
    const isOfSettings = settings.inputs.some((one) => one.document === document)
    const collection = isOfSettings ? 'powersettings' : 'cost_versions'
    const reason = `another price from the same instant is here already, and stays: ${found._id}. Next: compare both`
    context.find({ kind: 'noted', collection, document, reason })
  }
}

/** Makes the settings where there are none. Their price makes no version of the tariff, which has the origin's already. */
export async function storeSettings(context: AdoptionContext): Promise<void> {
  const { needs, database, registry, store } = context
  const settings = database.of(needs.powerSettingsEntity)
  for (const { input, document } of registry.settings.inputs) {
    const { electricityPrice, currency, deviceTypes = [] } = input
    const kinds = deviceTypes.map(({ type, name, powerConsumption, unit = 'W' }) => ({
      type,
      name,
      powerConsumption,
      unit,
    }))
    const made = { name: 'default' as const, electricityPrice, currency, deviceTypes: kinds, version: 1 }
    const here = await settings.findOne({ name: 'default' })
    if (here !== null && !isDeepStrictEqual(here.deviceTypes, kinds)) {
      const reason = 'other kinds or ratings are here already, and stay. Next: compare both'
      context.find({ kind: 'noted', collection: 'powersettings', document, reason })
    }
    if (store !== undefined) await settings.updateOne({ name: 'default' }, { $setOnInsert: made }, { upsert: true })
  }
}
