import type { AutoVolt, Device, DeviceInput, MarketArea, User } from '@autovolt/data'
import { timeZone } from '../simulator/school-plan.js'
import { areaName, type Household, households, type MeterKind, siteName } from './households.js'
import { type Meter, metersOf } from './meters.js'

/** A household with its user and its meters, as they are in the database. */
export interface Neighbour {
  readonly household: Household
  readonly user: User
  readonly meters: readonly Meter[]
}

export interface Neighbourhood {
  readonly area: MarketArea
  readonly neighbours: readonly Neighbour[]
  /** Whether nothing has been traded yet. */
  readonly isNew: boolean
}

/** ₹: what a seller pays for each kWh that was sold and not delivered; and the share of the area. */
const terms = { penaltyPerKwh: '1.5', feeRate: '0.01', settleAfterMinutes: 2 } as const

/** What the meters are to the library; by it a household may buy and sell. */
const devices: Readonly<Record<MeterKind, Pick<DeviceInput, 'type' | 'energyRole'> & { readonly label: string }>> = {
  roof: { type: 'solar_inverter', energyRole: 'production', label: 'roof' },
  battery: { type: 'battery_storage', energyRole: 'storage', label: 'battery' },
  home: { type: 'smart_meter', energyRole: 'consumption', label: 'home' },
}

/** Registers the neighbours of the school, their meters and their market. Does no harm twice. */
export async function registerNeighbourhood(volt: AutoVolt): Promise<Neighbourhood> {
  const site = await volt.classrooms.upsert({ name: siteName }, { name: siteName, timeZone })
  const known = await volt.market.areas.findOne({ name: areaName })
  const area = known ?? (await volt.market.areas.create({ name: areaName, ...terms }))
  const neighbours: Neighbour[] = []
  for (const [place, household] of households.entries()) {
    const { email, name, userType } = household
    const user =
      (await volt.users.findByEmail(email)) ?? (await volt.users.create({ email, name, userType, role: 'user' }))
    const own: Device[] = []
    for (const kind of Object.keys(household.meters) as MeterKind[])
      own.push(await registerMeter(volt, user, household, kind, site._id))
    neighbours.push({ household, user, meters: metersOf(household, own, place) })
  }
  return { area, neighbours, isNew: known === null }
}

async function registerMeter(
  volt: AutoVolt,
  { _id: owner }: User,
  { name, meters }: Household,
  kind: MeterKind,
  classroom: MarketArea['_id'],
): Promise<Device> {
  const known = await volt.devices.findOne({ owner, externalId: kind })
  if (known !== null) return known
  const { label, ...what } = devices[kind]
  const channel = {
    name: label,
    gpio: 0,
    type: 'meter',
    powerRating: meters[kind] ?? 0,
    energySource: 'power',
  } as const
  return volt.devices.create({
    ...what,
    name: `${name}: ${label}`,
    externalId: kind,
    owner,
    classroom,
    // The utility has proved whose meter it is.
    lastSignOfLifeAt: new Date(),
    switches: [channel],
  })
}
