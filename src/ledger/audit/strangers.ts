import type { StoredBytes } from '../entry/stored-bytes.js'
import { type Stranger, strangerOf } from './chain-reader.js'
import type { Finding } from './finding.js'

/** Documents that are no entries are named one by one, up to here. */
const mostNamed = 1000

/** The documents of the ledger's collection that are none of its entries. */
export class Strangers {
  readonly list: Stranger[] = []
  count = 0

  take(document: StoredBytes): void {
    this.count += 1
    if (this.list.length < mostNamed) this.list.push(strangerOf(document))
  }

  /** @param named The ids of those that the findings of a chain have named. */
  *findings(named: ReadonlySet<string>): Generator<Finding, void, undefined> {
    for (const { entryId, switchId } of this.list) {
      if (named.has(entryId)) continue
      const chain = switchId === undefined ? {} : { switchId }
      yield { damage: 'edited', where: 'entry', ...chain, entryId, expected: 'an entry', found: 'something else' }
    }
    const others = this.count - this.list.length
    if (others === 0) return
    yield { damage: 'unexplained', where: 'entry', expected: 'entries', found: `${others} other documents` }
  }
}
