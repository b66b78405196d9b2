import { type Collection, type Document, ObjectId } from 'mongodb'
import { rawIn } from '../../core/raw-documents.js'
import { chainHint } from '../chain-index.js'
import { keyOfSwitchId } from '../entry/stored-bytes.js'
import type { RawQuery } from '../raw-scan.js'
import { firstFieldsOf } from '../stored-document.js'
import type { ChainStart } from './chain-pass.js'

/** Chains whose new entries are asked for at once. */
const chainsAtOnce = 100

/** Where the entries are that come after the starts of their chains, and whatever is in the collection besides. */
export async function newEntriesQueries(
  entries: Collection,
  starts: ReadonlyMap<string, ChainStart>,
): Promise<RawQuery[]> {
  const queries: RawQuery[] = [
    // A list may have an id in it.
    { filter: { $or: [{ switchId: { $not: { $type: 'objectId' } } }, { switchId: { $type: 'array' } }] } },
  ]
  const hint = await chainHint(entries)
  let conditions: Document[] = []
  const end = () => {
    if (conditions.length > 0) queries.push({ filter: { $or: conditions }, ...hint })
    conditions = []
  }
  const switches = rawIn(
    entries.aggregate([{ $sort: { switchId: 1 } }, { $group: { _id: '$switchId' } }], {
      raw: true,
      readPreference: 'primary',
    }),
  )
  for await (const bytes of switches) {
    const switchId = firstFieldsOf(bytes)._id
    if (!(switchId instanceof ObjectId)) continue
    const start = starts.get(keyOfSwitchId(switchId.toHexString()))
    // What is no number at all is read, too.
    conditions.push(start === undefined ? { switchId } : { switchId, sequence: { $not: { $lte: start.sequence } } })
    if (conditions.length === chainsAtOnce) end()
  }
  end()
  return queries
}
