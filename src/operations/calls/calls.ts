import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import { CallMonitor, type CallReport } from './call-monitor.js'
import { type CallObserver, CallSource } from './call-source.js'

/** The calls of a handle's client on its database. */
export class Calls {
  readonly #database: Database
  #source: CallSource | undefined
  #monitor: CallMonitor | undefined
  #stopMeasuring: (() => void) | undefined

  constructor(database: Database) {
    this.#database = database
    database.beforeClose(() => void this.#source?.stop())
  }

  /** @throws DatabaseError `CONFIGURATION` if the driver says nothing of its commands. */
  observe(observer: CallObserver): () => void {
    const { client, connection, logger } = this.#database
    if (!client.options.monitorCommands)
      throw new DatabaseError(
        'CONFIGURATION',
        'Open the handle with `monitorCommands: true`, or the connection that it borrows: the driver says nothing of its commands otherwise',
      )
    this.#source ??= new CallSource(client, connection.name, logger)
    return this.#source.observe(observer)
  }

  measure(): () => void {
    const monitor = new CallMonitor()
    const stop = this.observe(monitor.observe)
    this.#stopMeasuring?.()
    this.#stopMeasuring = stop
    this.#monitor = monitor
    return stop
  }

  report(): CallReport {
    return this.#requireMonitor().report()
  }

  reset(): void {
    this.#requireMonitor().reset()
  }

  #requireMonitor(): CallMonitor {
    if (this.#monitor === undefined)
      throw new DatabaseError('CONFIGURATION', 'Nothing is measured yet: call volt.operations.measureCalls()')
    return this.#monitor
  }
}
