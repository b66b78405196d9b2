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
