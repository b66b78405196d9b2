import type { Random } from './random.js'

/** What a load draws, W; negative while it produces. Called as time goes by. */
export type Load = (isOn: boolean, nowMs: number) => number

const loads = {
  /** Thirty computers, some busy, some asleep; each hundred seconds or so one changes its mind. */
  computers: (random) => {
    const each = Array.from({ length: 30 }, () => random.between(3, 140))
    return () => {
      if (random.chance(0.5))
        each[random.integer(0, each.length - 1)] = random.chance(0.3) ? 3 : random.between(35, 160)
      return each.reduce((sum, watts) => sum + watts * random.between(0.97, 1.03), 0)
    }
  },
  /** An air conditioner: the compressor comes and goes, with a peak when it starts. */
  airConditioner: (random) => {
    let isRunning = true
    let untilMs = 0
    let sinceMs = 0
    return (_isOn, nowMs) => {
      if (nowMs >= untilMs) {
        isRunning = !isRunning
        sinceMs = nowMs
        untilMs = nowMs + random.between(25_000, 70_000)
      }
      const peak = 900 * Math.exp(-(nowMs - sinceMs) / 4_000)
      return (isRunning ? 1_450 + peak : 85) * random.between(0.98, 1.02)
    }
  },
  /** A fridge beside an oven that a thermostat switches. */
  kitchen: (random) => (_isOn, nowMs) => {
    const oven = Math.sin(nowMs / 17_000) > -0.2 ? 1_900 : 0
    const fridge = Math.sin(nowMs / 41_000) > 0.3 ? 140 : 12
    return (oven + fridge) * random.between(0.985, 1.015)
  },
  /** Whatever is plugged in: kettles, chargers, a printer. */
  sockets: (random) => {
    let watts = 120
    return () => {
      if (random.chance(0.12)) watts = random.pick([45, 80, 130, 260, 900, 1_800])
      return watts * random.between(0.97, 1.03)
    }
  },
  /** Panels on the roof, under clouds. They produce. */
  solar: (random) => {
    let clouds = 0.3
    return (_isOn, nowMs) => {
      clouds = Math.min(0.8, Math.max(0, clouds + random.between(-0.06, 0.06)))
      return -3_200 * (1 - clouds) * (0.95 + 0.05 * Math.sin(nowMs / 9_000))
    }
  },
} satisfies Record<string, (random: Random) => Load>

export type LoadKind = keyof typeof loads

/** A load that draws nothing while its switch is off. */
export function createLoad(kind: LoadKind, random: Random): Load {
  const load: Load = loads[kind](random)
  return (isOn, nowMs) => (isOn ? load(isOn, nowMs) : 0)
}
