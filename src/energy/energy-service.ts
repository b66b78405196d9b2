import type { Database } from '../core/database.js'
export class EnergyService {
  constructor(
    readonly database: Database,
    readonly parts: object,
  ) {}
}
