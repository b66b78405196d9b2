import type { StoredBytes } from '../entry/stored-bytes.js'
import { type Stranger, strangerOf } from './chain-reader.js'
import type { Findings } from './finding.js'

/** Documents that are no entries are named one by one, up to here. */
const mostNamed = 1000

/** The documents of the ledger's collection that are none of its entries. */
export class Strangers {
  readonly list: Stranger[] = []
  count = 0
  /** How many there are beyond those, by their chain. */
  readonly #others = new Map<string | undefined, number>()

  take(document: StoredBytes): void {
    this.count += 1
    const stranger = strangerOf(document)
    if (this.list.length < mostNamed) this.list.push(stranger)
    else this.#others.set(stranger.switchId, (this.#others.get(stranger.switchId) ?? 0) + 1)
  }

  /**
   * Adds those that nothing else has named.
   * @param named The ids of those that the findings of a chain have named.
   * @param namedChains The chains all of whose documents were looked at.
   */
  addTo(findings: Findings, named: ReadonlySet<string>, namedChains: ReadonlySet<string>): void {
    for (const { entryId, switchId } of this.list) {
      if (named.has(entryId)) continue
      const chain = switchId === undefined ? {} : { switchId }
      findings.add({
        damage: 'edited',
        where: 'entry',
        ...chain,
        entryId,
        expected: 'an entry',
        found: 'something else',
      })
    }
    let others = 0
    for (const [chain, count] of this.#others) if (chain === undefined || !namedChains.has(chain)) others += count
    if (others === 0) return
    const found = `${others} other documents`
    findings.add({ damage: 'unexplained', where: 'entry', expected: 'entries', found }, others)
  }
}
