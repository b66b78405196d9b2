import type { SimulatedDevice } from './plan.js'
import type { Random } from './random.js'
import type { Timers } from './timers.js'

export interface Person {
  readonly id: string
  readonly name: string
}

/** Tells a switch to go on or off in the name of a person, as the school's backend does. */
export type SendCommand = (macAddress: string, gpio: number, on: boolean, person: Person) => Promise<unknown>

const people: readonly Person[] = [
  { id: 'u-101', name: 'Priya Nair' },
  { id: 'u-102', name: 'Arjun Rao' },
  { id: 'u-103', name: 'Meera Iyer' },
  { id: 'u-104', name: 'Zoë Müller' },
  { id: 'u-105', name: 'Prof. Lakshmi Venkataramanan, Head of the Department of Electrical Engineering' },
]

const longestPauseMs = 4_000

/** People go in and out of rooms: somewhere a switch is pressed or a command is given every few seconds. */
export function startPeople(
  devices: readonly SimulatedDevice[],
  send: SendCommand,
  random: Random,
  timers: Timers,
): void {
  const switchable = devices.flatMap((device) =>
    device.plan.switches.filter(({ type }) => type !== 'meter').map(({ gpio }) => ({ device, gpio })),
  )
  const command = ({ device, gpio }: (typeof switchable)[number], on: boolean, person: Person) =>
    void send(device.plan.macAddress, gpio, on, person).catch(() => undefined)
  const act = () => {
    const chosen = random.pick(switchable)
    if (random.chance(0.5)) chosen.device.press(chosen.gpio)
    else if (random.chance(0.85)) command(chosen, random.chance(0.6), random.pick(people))
    else {
      // A whole room at once; the relays follow one after the other.
      const person = random.pick(people)
      const on = random.chance(0.7)
      for (const one of switchable) if (one.device === chosen.device) command(one, on, person)
    }
  }
  timers.repeat(() => random.between(1_000, longestPauseMs), act)
}
