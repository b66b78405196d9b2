import type { UserPreferences } from './user-preferences.js'

type Chosen<Section extends 'notifications' | 'energy' | 'privacy'> = NonNullable<UserPreferences[Section]>

/** What holds for a user who has not chosen. */
export const preferenceDefaults = {
  theme: 'light',
  language: 'en',
  timeZone: 'UTC',
  dashboards: [],
  notifications: { email: true, push: true, telegram: false },
  energy: { unit: 'kWh', renewableOnly: false, priceAlerts: false },
  privacy: { showsEnergy: false, showsProfile: false, allowsAnalytics: false },
} as const satisfies Partial<UserPreferences>

type Decided<Section extends object, Defaults> = Omit<Section, keyof Defaults> & {
  readonly [Name in keyof Defaults & keyof Section]: NonNullable<Section[Name]>
}

/** The preferences of a user, with the defaults in the places of what the user has not chosen. */
export type EffectivePreferences = Omit<UserPreferences, keyof typeof preferenceDefaults> & {
  readonly theme: NonNullable<UserPreferences['theme']>
  readonly language: string
  readonly timeZone: string
  readonly dashboards: NonNullable<UserPreferences['dashboards']>
  readonly notifications: Decided<Chosen<'notifications'>, typeof preferenceDefaults.notifications>
  readonly energy: Decided<Chosen<'energy'>, typeof preferenceDefaults.energy>
  readonly privacy: Decided<Chosen<'privacy'>, typeof preferenceDefaults.privacy>
}

export function withDefaults(stored: UserPreferences): EffectivePreferences {
  const { theme, language, timeZone, dashboards, notifications, energy, privacy } = preferenceDefaults
  return {
    ...stored,
    theme: stored.theme ?? theme,
    language: stored.language ?? language,
    timeZone: stored.timeZone ?? timeZone,
    dashboards: stored.dashboards ?? [...dashboards],
    notifications: filled(stored.notifications, notifications),
    energy: filled(stored.energy, energy),
    privacy: filled(stored.privacy, privacy),
  }
}

function filled<Section extends object, Defaults extends Partial<Section>>(
  section: Section | undefined,
  defaults: Defaults,
): Decided<Section, Defaults> {
  const chosen = Object.entries(section ?? {}).filter(([, value]) => value !== undefined)
  return { ...defaults, ...Object.fromEntries(chosen) } as Decided<Section, Defaults>
}

/** What the origin systems have as `preferences` in the user's document. It is computed, and stored nowhere. */
export interface ShortPreferences {
  readonly theme: EffectivePreferences['theme']
  readonly language: string
  readonly notifications: { readonly email: boolean; readonly push: boolean; readonly telegram: boolean }
  readonly renewableOnly: boolean
  readonly priceAlerts: boolean
  readonly maxTradeDistanceKm?: number
  readonly maxPricePerKwh?: number
}

export function shortPreferences({ theme, language, notifications, energy }: EffectivePreferences): ShortPreferences {
  const { email, push, telegram } = notifications
  const { renewableOnly, priceAlerts, maxTradeDistanceKm, maxPricePerKwh } = energy
  return {
    theme,
    language,
    notifications: { email, push, telegram },
    renewableOnly,
    priceAlerts,
    ...(maxTradeDistanceKm === undefined ? {} : { maxTradeDistanceKm }),
    ...(maxPricePerKwh === undefined ? {} : { maxPricePerKwh }),
  }
}
