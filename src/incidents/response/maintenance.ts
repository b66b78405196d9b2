import type { ObjectId } from 'mongodb'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { Database } from '../../core/database.js'
import type { Entity } from '../../core/entity.js'
import type { MaintenanceWindow } from './maintenance-window.js'

/** What a maintenance window can be about. */
export interface Maintained {
  readonly device: ObjectId
  readonly classroom: ObjectId | undefined
}

/** Tells whether people are at work somewhere. */
export type MaintenanceTest = (what: Maintained, atMs: number) => boolean

/** Reads the maintenance windows of a stretch of time. */
export class Maintenance {
  readonly #windows: EntityCollection<MaintenanceWindow>

  constructor(database: Database, entity: Entity<MaintenanceWindow>) {
    this.#windows = database.of(entity).for('alertRules')
  }

  /** @returns a test for instants from `fromMs` to `toMs`. */
  async within(fromMs: number, toMs: number): Promise<MaintenanceTest> {
    const found = await this.#windows.find({ until: { $gt: new Date(fromMs) }, from: { $lte: new Date(toMs) } })
    return (what, atMs) => found.some((window) => isAbout(window, what) && isIn(window, atMs))
  }
}

function isAbout({ device, classroom }: MaintenanceWindow, what: Maintained): boolean {
  if (device?.equals(what.device) === false) return false
  return classroom === undefined || (what.classroom !== undefined && classroom.equals(what.classroom))
}

function isIn({ from, until }: MaintenanceWindow, atMs: number): boolean {
  return from.getTime() <= atMs && atMs < until.getTime()
}
