/** What the environment may say. Nothing of it is needed. */
export interface Settings {
  /** A MongoDB replica set of one's own; an embedded one where it is left out. */
  readonly mongodbUri: string | undefined
  /** A broker of one's own; an embedded one where it is left out. */
  readonly mqttUrl: string | undefined
  /** Where the page is served; the next free port if this one is taken. */
  readonly port: number
  readonly address: string
  /** Where backups are kept; a temporary folder that goes with the app where it is left out. */
  readonly backupFolder: string | undefined
  /** A backup that is older than this is too old. */
  readonly backupOldAfterS: number
  /** Repeats a run of the simulator. */
  readonly seed: number
}

export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  return {
    mongodbUri: environment.MONGODB_URI || undefined,
    mqttUrl: environment.MQTT_URL || undefined,
    port: wholeNumber('PORT', environment.PORT, 65_535) ?? 3000,
    address: environment.HOST || '127.0.0.1',
    backupFolder: environment.BACKUP_DIR || undefined,
    backupOldAfterS: wholeNumber('BACKUP_OLD_AFTER_S', environment.BACKUP_OLD_AFTER_S, 10_000_000) ?? 3600,
    seed: wholeNumber('SEED', environment.SEED, 2 ** 32 - 1) ?? Math.floor(Math.random() * 2 ** 32),
  }
}

function wholeNumber(name: string, text: string | undefined, maximum: number): number | undefined {
  if (text === undefined || text === '') return undefined
  const number = Number(text)
  if (Number.isInteger(number) && number >= 0 && number <= maximum) return number
  throw new Error(`${name} must be a whole number from 0 to ${maximum}`)
}
