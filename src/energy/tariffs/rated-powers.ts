import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { PowerSettings } from './power-settings.js'

/** W by type of load, as the power settings have them. */
export async function readRatedPowers(
  documents: EntityCollection<PowerSettings>,
): Promise<ReadonlyMap<string, number>> {
  const settings = await documents.findOne({ name: 'default' }, { projection: { deviceTypes: 1 } })
  const types = settings?.deviceTypes ?? []
  return new Map(
    types.map(({ type, powerConsumption, unit }) => [type, powerConsumption * (unit === 'kW' ? 1_000 : 1)]),
  )
}
