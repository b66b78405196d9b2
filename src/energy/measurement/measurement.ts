import { z } from 'zod'
import { defineAppendOnlyEntity, type Stored } from '../../core/entity.js'
import { instant, objectId, quantity } from '../../core/fields.js'
import { channelFields, metadata, sources } from './channel.js'

export const dataTypes = ['consumption', 'production'] as const
export const givenQualities = ['excellent', 'good', 'fair', 'poor'] as const
/** What is `refused` is no measurement: it says only that there was one, and that the power before it holds no longer. */
const qualities = [...givenQualities, 'refused'] as const

/** What a measurement can be that is not plausible for its channel. */
export const implausibilities = [
  'power_above_maximum',
  'voltage_below_minimum',
  'voltage_above_maximum',
  'current_above_maximum',
  'frequency_below_minimum',
  'frequency_above_maximum',
  'time_in_the_future',
] as const
export type Implausibility = (typeof implausibilities)[number]

const kWh = () => quantity(0, 1e12).optional()
const toFourDecimals = (value: number) => Math.round(value * 1e4) / 1e4

const electrical = {
  /** W; negative while it produces, as far as the meter has a sign. */
  power: quantity(-1e9, 1e9).optional(),
  /** V */
  voltage: quantity(-1e6, 1e6).optional(),
  /** A */
  current: quantity(-1e6, 1e6).optional(),
  power_factor: quantity(-1, 1).optional(),
}
const phase = () => z.strictObject(electrical).optional()

export const measurementFields = {
  timestamp: instant(),
  meta: z.strictObject({
    ...channelFields,
    /** The classroom, or whatever else is the device's site. */
    site: objectId(),
  }),
  data_type: z.enum(dataTypes),
  ...electrical,
  /** Hz */
  frequency: quantity(0, 1e6).optional(),
  phases: z
    .strictObject({
      /** The first phase. */
      L1: phase(),
      /** The second phase. */
      L2: phase(),
      /** The third phase. */
      L3: phase(),
    })
    .optional(),
  /** Wh; the counter of what is consumed, which may start again. */
  counter_wh: quantity(0, 1e15).optional(),
  /** Wh; the counter of what is produced. */
  production_counter_wh: quantity(0, 1e15).optional(),
  /** %; the state of charge of a battery. */
  battery_soc: quantity(0, 100).optional(),
  solar_yield_kwh: kWh(),
  grid_import_kwh: kWh(),
  grid_export_kwh: kWh(),
  /** kWh since the measurement before; rounded to four decimals. */
  energy_amount: quantity(0, 1e9).overwrite(toFourDecimals).optional(),
  /** Currency units; what the energy costs, or earns. */
  cost: quantity(-1e12, 1e12).optional(),
  carbon_kg: quantity(-1e9, 1e9).optional(),
  quality: z.enum(qualities).default('good'),
  /** Why it is not plausible; absent if it is. */
  implausible: z.array(z.enum(implausibilities)).max(implausibilities.length).optional(),
  received_at: instant().optional(),
  /** The run of the device, and its own number of the message in it: of two measurements that agree in them, one is a copy. */
  boot: z.string().min(1).max(64).optional(),
  sequence_no: z.int().min(0).optional(),
  source: sources,
  metadata,
}

/** What was measured of a channel at an instant. @param expireAfterSeconds How long it is kept; for ever if left out. */
export function measurementEntityOf(expireAfterSeconds?: number) {
  return defineAppendOnlyEntity({
    name: 'energy measurement',
    collection: 'energy_measurements',
    personal: {
      subjects: { 'meta.owner': { onErasure: 'anonymise' } },
      notPersonal: (
        'timestamp data_type power voltage current power_factor frequency phases counter_wh production_counter_wh battery_soc ' +
        'solar_yield_kwh grid_import_kwh grid_export_kwh energy_amount cost carbon_kg quality implausible received_at boot ' +
        'sequence_no source metadata'
      ).split(' '),
    },
    fields: measurementFields,
    timeSeries: {
      timeField: 'timestamp',
      metaField: 'meta',
      granularity: 'seconds',
      ...(expireAfterSeconds === undefined ? {} : { expireAfterSeconds }),
    },
    shardKey: { 'meta.device': 1 },
    indexes: [
      { key: { 'meta.device': 1, timestamp: 1 }, serves: 'the measurements of a device by time' },
      { key: { 'meta.switch': 1, timestamp: 1 }, serves: 'the measurements of a switch by time' },
      { key: { 'meta.site': 1, timestamp: 1 }, serves: 'the measurements of a site by time' },
      { key: { 'meta.owner': 1, timestamp: 1 }, serves: 'the measurements of a user’s devices by time' },
    ],
  })
}
export const measurementEntity = measurementEntityOf()
export type EnergyMeasurement = Stored<typeof measurementEntity>
