import { z } from 'zod'
import { objectId, quantity } from '../core/fields.js'
import { validateData } from '../core/validate.js'
import { type DeviceStatus, deviceStatuses, energyRole, type SpelledEnergyRole } from './device.js'
import { openWord } from './device-fields.js'

/** Of the sphere that MongoDB computes distances on. */
const earthRadiusKm = 6378.1
const largestPage = 1_000

const question = z.strictObject({
  words: z.string().min(1).max(200).optional(),
  status: z.enum(deviceStatuses).optional(),
  type: openWord().optional(),
  capability: openWord().optional(),
  energyRole: energyRole().optional(),
  owner: objectId().optional(),
  classroom: objectId().optional(),
  near: z
    .strictObject({
      latitude: quantity(-90, 90),
      longitude: quantity(-180, 180),
      distanceKm: quantity(0, 20_000),
    })
    .optional(),
})

const pageOptions = z.strictObject({
  page: z.int().min(1).max(largestPage).default(1),
  limit: z.int().min(1).max(100).default(50),
})

/** What devices are searched by; all that is given has to be so. */
export interface DeviceSearch {
  /** All of these words are in the name, the external id, the maker, the model or the location's text. */
  readonly words?: string
  /** Devices with this status. */
  readonly status?: DeviceStatus
  /** Devices of this type. */
  readonly type?: string
  /** The name of a capability. */
  readonly capability?: string
  /** Devices with this role, in either spelling. */
  readonly energyRole?: SpelledEnergyRole
  /** Devices of this user. */
  readonly owner?: { toHexString(): string } | string
  /** Devices in this classroom. */
  readonly classroom?: { toHexString(): string } | string
  /** At most so far from there, as the crow flies. */
  readonly near?: { readonly latitude: number; readonly longitude: number; readonly distanceKm: number }
}

export interface DeviceSearchPage {
  /** From 1, 1,000 at most. @default 1 */
  readonly page?: number
  /** 100 at most. @default 50 */
  readonly limit?: number
}

export interface FoundDevices<Device> {
  readonly items: Device[]
  /** The number of the next page; null if this is the last. */
  readonly nextPage: number | null
}

/** The query of a search, and which part of its answer is wanted. @throws ValidationError. */
export function searchQuery(given: DeviceSearch, wanted: DeviceSearchPage) {
  const { words, capability, near, ...equalities } = validateData(question, given, 'The search')
  const { page, limit } = validateData(pageOptions, wanted, 'The page')
  const filter = {
    ...Object.fromEntries(Object.entries(equalities).filter(([, value]) => value !== undefined)),
    ...(capability !== undefined && { 'capabilities.name': capability }),
    ...(words !== undefined && { $text: { $search: phrasesOf(words) } }),
    ...(near !== undefined && {
      'location.point': {
        $geoWithin: { $centerSphere: [[near.longitude, near.latitude], near.distanceKm / earthRadiusKm] },
      },
    }),
    deletedAt: null,
  }
  // These indexes have an order of their own: another one would have to be made in memory, of all that is found.
  const hasOrder = words === undefined && near === undefined
  return { filter, page, limit, sort: hasOrder ? ({ name: 1, _id: 1 } as const) : undefined }
}

/** Each word as a phrase: all of them have to be there, and none is an operator. */
function phrasesOf(words: string): string {
  const plain = words.match(/[\p{L}\p{N}_]+/gu) ?? []
  return plain.map((word) => `"${word}"`).join(' ')
}
