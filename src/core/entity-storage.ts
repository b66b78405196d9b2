// How the server is to keep the documents of an entity.

export interface TimeSeriesOptions {
  /** The field with the instant of a measurement. */
  readonly timeField: string
  /** The field that says which series a measurement belongs to. @default none */
  readonly metaField?: string
  /** How far apart the measurements of a series are. @default 'seconds' */
  readonly granularity?: 'seconds' | 'minutes' | 'hours'
  /** Seconds after which measurements go. @default never */
  readonly expireAfterSeconds?: number
}

/**
 * Which documents the server checks when they are written: all of them, or with `moderate` all but those that did not fit
 * before. Where hosts have documents from before the library, they stay readable either way; only `moderate` leaves them
 * open to changes that do not set right everything at once.
 */
export type ValidationLevel = 'strict' | 'moderate'

/** `block_compressor` of WiredTiger: `zstd` makes the documents of long-lived collections a third smaller than `snappy` does, the usual one. */
export type Compressor = 'snappy' | 'zstd'
