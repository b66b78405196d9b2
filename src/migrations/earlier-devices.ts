import type { Document } from 'mongodb'
import { isRecord } from '../core/is-record.js'
import { pinProblem } from '../devices/pins.js'

/** The type of a device from before there were types: an ESP32, unless its switches have numbers that no ESP32 has pins for. */
export function typeByPins({ hardware, config }: Document, switches: readonly unknown[] = []): 'esp32' | 'other' {
  const numbered = switches.filter(isRecord).map((one) => ({ ...one, gpio: Number(one.gpio) }))
  return pinProblem({ type: 'esp32', hardware, config, switches: numbered }) === undefined ? 'esp32' : 'other'
}

/** The names of a device's switches, each its own: trimmed, and of two of one name the second with the number of its pin. */
export function ownNames(switches: readonly unknown[]): string[] {
  const taken = new Set<string>()
  return switches.map((one) => {
    const { name, gpio } = isRecord(one) ? one : { name: undefined, gpio: undefined }
    const named = String(name ?? '').trim() || `gpio ${String(gpio)}`
    const free = taken.has(named) ? `${named.slice(0, 180)} (${String(gpio)})` : named
    taken.add(free)
    return free
  })
}
