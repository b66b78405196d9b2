import type { PublishedCheckpoint } from '../../src/ledger/log/anchor.js'
import { signTreeHead } from '../../src/ledger/log/checkpoint-text.js'
import { consistencyPath } from '../../src/ledger/log/merkle-proof.js'
import { type LeafRange, MerkleFrontier } from '../../src/ledger/log/merkle-tree.js'
import type { SignerKey } from '../../src/ledger/log/signed-note.js'

function rootOf(leaves: readonly Buffer[]): Buffer {
  const frontier = new MerkleFrontier()
  for (const leaf of leaves) frontier.append(leaf)
  return frontier.root()
}

/** A checkpoint of the leaves, as anchors are given it, without a database. */
export function publishedCheckpoint(leaves: readonly Buffer[], signer: SignerKey): PublishedCheckpoint {
  const size = leaves.length
  const note = signTreeHead({ origin: signer.verifier.name, size, rootHash: rootOf(leaves) }, [signer])
  return {
    note,
    size,
    async consistencyFrom(from) {
      if (from === 0 || from === size) return []
      const rootIn = ({ begin, end }: LeafRange) => rootOf(leaves.slice(begin, end)).toString('base64')
      return consistencyPath(from, size).map(rootIn)
    },
  }
}
