import { connect } from 'mqtt'
import { DeployedDevice } from './deployed-device.js'
import { startMishaps } from './mishaps.js'
import { type SendCommand, startPeople } from './people.js'
import type { DevicePlan, SimulatedDevice } from './plan.js'
import { Random } from './random.js'
import type { SchoolPlan } from './school-plan.js'
import { startStrangers } from './strangers.js'
import { Timers } from './timers.js'
import type { Troubles } from './troubles.js'
import { V2Device } from './v2-device.js'

export interface SimulatorOptions {
  readonly url: string
  readonly school: SchoolPlan
  /** The same seed gives the same people, mishaps and loads. */
  readonly seed: number
  /** How people reach a switch that they do not stand beside. */
  readonly sendCommand: SendCommand
  /** What goes wrong with meters and lines. */
  readonly troubles: Troubles
}

export interface Simulator {
  stop(): Promise<void>
}

/** Starts the school: its devices, the people in it, and what goes wrong. */
export function startSimulator({ url, school, seed, sendCommand, troubles }: SimulatorOptions): Simulator {
  const random = new Random(seed).fork('life')
  const timers = new Timers()
  const create = (plan: DevicePlan): SimulatedDevice => {
    const own = random.fork(plan.macAddress)
    return plan.protocol === 'v2' ? new V2Device(plan, url, own) : new DeployedDevice(plan, url, own)
  }
  const devices = school.devices.map(create)
  const unregistered = create(school.unregistered)
  const stranger = connect(url, { clientId: 'stranger', protocolVersion: 4 }).on('error', () => undefined)
  for (const device of [...devices, unregistered]) timers.after(random.between(0, 800), () => device.start())
  startPeople(devices, sendCommand, random.fork('people'), timers)
  startMishaps(devices, random.fork('mishaps'), timers)
  troubles.start(devices, random.fork('troubles'), timers)
  startStrangers(stranger, school.devices, random.fork('strangers'), timers)
  return {
    stop: async () => {
      timers.clear()
      await Promise.all([...devices, unregistered].map((device) => device.stop()))
      await stranger.endAsync(true)
    },
  }
}
