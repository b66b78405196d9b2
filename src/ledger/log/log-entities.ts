import { z } from 'zod'
import { defineAppendOnlyEntity, defineEntity, type Stored } from '../../core/entity.js'
import { binary, objectId } from '../../core/fields.js'

const size = () => z.int().min(0)

/** A signed statement of the whole ledger's state. */
export const checkpointEntity = defineAppendOnlyEntity({
  name: 'ledger checkpoint',
  collection: 'ledger_checkpoints',
  personal: 'none',
  fields: {
    /** How many entries it covers. */
    size: z.int().min(1),
    /** The name of the log. */
    origin: z.string().min(1).max(200),
    /** The root of the Merkle tree of those entries, in hexadecimal. */
    rootHash: z.string().regex(/^[0-9a-f]{64}$/),
    /** The checkpoint itself (C2SP tlog-checkpoint in a signed note), with the cosignatures of witnesses. */
    note: z.string().min(1).max(100_000),
    /** When it was signed. */
    signedAt: z.date(),
  },
  shardKey: { size: 1 },
  indexes: [
    { key: { size: 1 }, unique: true, serves: 'the newest checkpoint, the first that covers an entry, all in order' },
  ],
})
export type StoredCheckpoint = Stored<typeof checkpointEntity>

/** 256 hashes of a level of the Merkle tree. */
export const tileEntity = defineAppendOnlyEntity({
  name: 'ledger tile',
  collection: 'ledger_tiles',
  personal: 'none',
  fields: {
    /** The level in the tree, 0 for leaves. */
    level: z.int().min(0).max(6),
    /** The place in its level. */
    index: z.int().min(0),
    /** 32 bytes each; fewer than 256 in the last tile of a level. */
    hashes: binary(),
  },
  shardKey: { level: 1, index: 1 },
  indexes: [{ key: { level: 1, index: 1 }, unique: true, serves: 'the tiles of a proof; a level in order' }],
})
export type Tile = Stored<typeof tileEntity>

/** Entries of a chain that stand beside each other in the Merkle tree. */
export const segmentEntity = defineAppendOnlyEntity({
  name: 'ledger segment',
  collection: 'ledger_segments',
  personal: 'none',
  fields: {
    /** The switch that it is of. */
    switchId: objectId(),
    /** The first entry of the chain in it. */
    firstSequence: z.int().min(1),
    /** How many entries. */
    count: z.int().min(1),
    /** Where in the tree the first of them is. */
    firstLeaf: size(),
    /** The hash of the last of them. */
    lastHash: binary(),
  },
  shardKey: { switchId: 1 },
  indexes: [
    {
      key: { switchId: 1, firstSequence: 1 },
      unique: true,
      serves: 'the place of an entry; how far a chain is covered',
    },
    { key: { firstLeaf: 1 }, serves: 'the entries of the tree in order' },
  ],
})
export type Segment = Stored<typeof segmentEntity>

/** Has room for the path of a file. */
export const longestAnchorName = 5000

/** How far an anchor outside the database has come, as it was seen last: to be shown, and relied on by nothing. */
export const anchorEntity = defineEntity({
  name: 'ledger anchor',
  collection: 'ledger_anchors',
  personal: 'none',
  fields: {
    /** The name of the anchor. */
    name: z.string().min(1).max(longestAnchorName),
    /** The size of the newest checkpoint that it keeps; 0 if it keeps none. */
    size: z.int().min(0),
    /** When the anchor last took one. */
    anchoredAt: z.date().optional(),
    /** Attempts that have failed since. */
    failures: z.int().min(0),
    /** Why the anchor did not take one; left out if it did. */
    lastError: z.string().max(1000).optional(),
  },
  indexes: [{ key: { name: 1 }, unique: true, serves: 'one document for each anchor' }],
})
export type AnchorState = Stored<typeof anchorEntity>
