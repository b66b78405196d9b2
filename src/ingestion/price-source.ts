import type { Clock } from '../core/clock.js'
import type { Repository } from '../core/repository/repository.js'
import type { PowerSettings, PowerSettingsInput } from '../energy/power-settings.js'

const freshMs = 10_000

/** The price in force, read again after ten seconds. Without power settings energy costs nothing. */
export class PriceSource {
  readonly #powerSettings: Repository<PowerSettings, PowerSettingsInput>
  readonly #clock: Clock
  #price = 0
  #readMs = Number.NEGATIVE_INFINITY

  constructor(powerSettings: Repository<PowerSettings, PowerSettingsInput>, clock: Clock) {
    this.#powerSettings = powerSettings
    this.#clock = clock
  }

  /** Currency units per kWh. */
  async pricePerKwh(): Promise<number> {
    const nowMs = this.#clock.now().getTime()
    if (nowMs - this.#readMs >= freshMs) {
      const settings = await this.#powerSettings.findOne({ name: 'default' })
      this.#price = settings?.electricityPrice ?? 0
      this.#readMs = nowMs
    }
    return this.#price
  }
}
