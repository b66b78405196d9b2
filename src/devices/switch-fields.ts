import { ObjectId } from 'mongodb'
import { z } from 'zod'
import { objectId, quantity, trimmedText } from '../core/fields.js'

const newId = () => new ObjectId()

/** Where a switch's energy comes from: the best that its device offers. */
const energySources = ['counter', 'power', 'rated'] as const
export type EnergySource = (typeof energySources)[number]

/** A switch of a device: a relay, or a channel of a meter. */
export const switchFields = () =>
  z.strictObject({
    /** Kept for ever: the chain of the ledger hangs on it. */
    _id: objectId().default(newId),
    /** What an origin system calls it. */
    externalId: z.string().min(1).max(200).optional(),
    /** Unique in its device. */
    name: trimmedText(1, 200),
    /** The pin of the relay, or the number of the channel. */
    gpio: z.int().min(0).max(255),
    /**
     * What is connected: `light`, `fan`, `projector`, `ac`, `computer`, `socket`, `outlet`, `custom`, or a host's own word;
     * `meter` for a channel that switches nothing.
     */
    type: z.string().min(1).max(50).default('light'),
    /** W; what the load takes while it is on, as far as nothing measures it. Left out, the one of its type in the power settings. */
    powerRating: quantity(0, 1_000_000).default(0),
    /** How its energy is known: by a counter, by measured power, or by its rating. */
    energySource: z.enum(energySources).default('rated'),
    /** Wh; the smallest step of the energy counter. */
    counterQuantumWh: quantity(0, 1_000_000).optional(),
    /** Wh; the value at which the energy counter starts again from zero. */
    counterWidthWh: quantity(0, 1e15).optional(),
    /** W; more than this is not plausible. 25 kW if left out. */
    maximumPower: quantity(1, 1e9).optional(),
    /** What else is plausible of a measurement, as far as it is known. */
    limits: z
      .strictObject({
        /** V */
        minimumVoltage: quantity(0, 1e6).optional(),
        /** V */
        maximumVoltage: quantity(0, 1e6).optional(),
        /** A */
        maximumCurrent: quantity(0, 1e6).optional(),
        /** Hz */
        minimumFrequency: quantity(0, 1e6).optional(),
        /** Hz */
        maximumFrequency: quantity(0, 1e6).optional(),
      })
      .optional(),
    /** The pin of the wall switch. */
    manualGpio: z.int().min(0).max(255).optional(),
    /** `momentary` for a push button, `maintained` for a switch that stays. */
    manualMode: z.enum(['momentary', 'maintained']).optional(),
    /** Whether the wall switch has the last word, as the device said; kept by ingestion. */
    manualOverride: z.boolean().default(false),
    /** What the switch was last known to be; kept by ingestion. */
    state: z.boolean().optional(),
    /** Since when that is known. */
    stateAt: z.date().optional(),
  })
