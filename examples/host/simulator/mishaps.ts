import type { SimulatedDevice } from './plan.js'
import type { Random } from './random.js'
import type { Timers } from './timers.js'

/** What goes wrong in a building: connections break, the Wi-Fi is away, and now and then a device starts again. */
export function startMishaps(devices: readonly SimulatedDevice[], random: Random, timers: Timers): void {
  const happen = () => {
    const device = random.pick(devices)
    const draw = random.next()
    if (draw < 0.45) device.cutConnection()
    else if (draw < 0.75) device.loseConnection(random.between(4_000, 30_000))
    else if (draw < 0.85) device.loseConnection(random.between(60_000, 150_000))
    else device.reboot()
  }
  timers.repeat(() => random.between(8_000, 20_000), happen)
}
