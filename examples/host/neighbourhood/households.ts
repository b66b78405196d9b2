/** What a household has that is metered. */
export type MeterKind = 'roof' | 'battery' | 'home'

export interface Household {
  readonly email: string
  readonly name: string
  /** Whether it buys, sells, or both. */
  readonly userType: 'consumer' | 'producer' | 'prosumer'
  /** Degrees: longitude first. */
  readonly place: readonly [number, number]
  /** W, about: what a roof makes under a clear sky, what a battery takes and gives, what a home takes. */
  readonly meters: Partial<Readonly<Record<MeterKind, number>>>
}

/** The site that the meters of the neighbours are accounted at. */
export const siteName = 'Lake Road'
export const areaName = 'Lake Road'

/** The neighbours of the school. The first one can be signed in as. */
export const households: readonly Household[] = [
  {
    email: 'neighbour@lake-road.example',
    name: 'Kiran, neighbour',
    userType: 'prosumer',
    place: [73.8512, 18.5247],
    meters: { roof: 4_200, battery: 1_100, home: 650 },
  },
  {
    email: 'lakshmi@lake-road.example',
    name: 'Lakshmi, Lake House',
    userType: 'prosumer',
    place: [73.8549, 18.5262],
    meters: { roof: 5_000, home: 480 },
  },
  {
    email: 'mill@lake-road.example',
    name: 'The Old Mill',
    userType: 'producer',
    place: [73.8581, 18.5238],
    meters: { roof: 7_500 },
  },
  {
    email: 'zoe@lake-road.example',
    name: 'Zoë, with two cars',
    userType: 'consumer',
    place: [73.8535, 18.5225],
    meters: { home: 2_600 },
  },
  {
    email: 'bakery@lake-road.example',
    name: 'Anand’s bakery',
    userType: 'consumer',
    place: [73.8567, 18.5214],
    meters: { home: 1_900 },
  },
  {
    email: 'nadia@lake-road.example',
    name: 'Nadia, top floor',
    userType: 'consumer',
    place: [73.8523, 18.5211],
    meters: { home: 420 },
  },
]

/** Whether a household may be on a side of the market. */
export function mayBe(side: 'buy' | 'sell', { userType }: Pick<Household, 'userType'>): boolean {
  return userType === 'prosumer' || userType === (side === 'buy' ? 'consumer' : 'producer')
}
