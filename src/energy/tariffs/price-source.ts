import type { Clock } from '../../core/clock.js'
import type { Reader } from '../../core/repository/reader.js'
import { type Tariff, tariffOf } from '../../metering/index.js'
import { type CostVersion, DEFAULT_TARIFF } from './cost-version.js'
import type { PowerSettings } from './power-settings.js'
import type { TariffHead } from './tariff-head.js'

const freshMs = 10_000

/** Where energy is used: by which tariff it costs, and in which IANA zone its bands are. */
export interface PricedPlace {
  readonly tariff: string
  readonly timeZone: string
}

/** What energy costs, as it was known when it was last read. */
export interface Prices {
  /** Currency units per kWh at an instant; 0 where nothing is known. */
  at(place: PricedPlace, instantMs: number): number
}

export interface PriceParts {
  readonly tariffs: Reader<TariffHead>
  readonly costVersions: Reader<CostVersion>
  readonly powerSettings: Reader<PowerSettings>
}

interface KnownTariff {
  readonly revision: number
  readonly tariff: Tariff<CostVersion>
}

/**
 * The prices in force, looked at again after ten seconds; the versions of a tariff are read again only where it has been
 * changed. As long as the tariff `default` has no versions, its price is that of the power settings.
 */
export class PriceSource {
  readonly #parts: PriceParts
  readonly #clock: Clock
  readonly #tariffs = new Map<string, KnownTariff>()
  #settingsPrice = 0
  #readMs = Number.NEGATIVE_INFINITY
  readonly #prices: Prices = { at: (place, instantMs) => this.#priceAt(place, instantMs) }

  constructor(parts: PriceParts, clock: Clock) {
    this.#parts = parts
    this.#clock = clock
  }

  async prices(): Promise<Prices> {
    const nowMs = this.#clock.now().getTime()
    if (nowMs - this.#readMs >= freshMs) {
      await this.#read()
      this.#readMs = nowMs
    }
    return this.#prices
  }

  #priceAt({ tariff: name, timeZone }: PricedPlace, instantMs: number): number {
    const known = this.#tariffs.get(name)
    if (known !== undefined) return known.tariff.priceAt(instantMs, timeZone)?.pricePerKwh ?? 0
    return name === DEFAULT_TARIFF ? this.#settingsPrice : 0
  }

  async #read(): Promise<void> {
    for await (const { name, revision } of this.#parts.tariffs.stream()) {
      if (this.#tariffs.get(name)?.revision !== revision) await this.#readVersions(name, revision)
    }
    if (this.#tariffs.has(DEFAULT_TARIFF)) return
    const settings = await this.#parts.powerSettings.findOne({ name: 'default' })
    this.#settingsPrice = settings?.electricityPrice ?? 0
  }

  /** The revision was read before the versions: where they are newer, they are read once more. */
  async #readVersions(name: string, revision: number): Promise<void> {
    const versions: CostVersion[] = []
    for await (const version of this.#parts.costVersions.stream({ tariff: name })) versions.push(version)
    this.#tariffs.set(name, { revision, tariff: tariffOf(versions) })
  }
}
