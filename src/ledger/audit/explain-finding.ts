import type { Damage, Finding } from './finding.js'

/** Explanation: what a kind of damage means, and how to look at it. */
export interface Explanation {
  /** A sentence. */
  readonly meaning: string
  /** What to do to see it. */
  readonly look: string
}

const besideBackup = 'Compare the entry with the same one in an earlier export or backup.'
const besideEarlier = 'Compare with an earlier export, an archive or a backup, and ask the anchors what they keep.'

const byDamage: Readonly<Record<Damage, Explanation>> = {
  edited: {
    meaning: 'What is stored is not what was signed, or what its successor names: somebody has changed it.',
    look: besideBackup,
  },
  deleted: {
    meaning: 'Something that was there is gone, though what came after it is there.',
    look: 'Look for the missing numbers (sequence to throughSequence) of the chain in an earlier export, an archive or a backup.',
  },
  inserted: {
    meaning: 'Something is there that the ledger does not have at this place.',
    look: 'Read the document by its id (entryId), and look at who could write to the database when it was made.',
  },
  reordered: {
    meaning: 'A genuine entry of the chain stands at another place than its own.',
    look: 'Look for the place in the chain whose successor names the hash that is given as found.',
  },
  forked: {
    meaning: 'Two entries follow on the same one, and only one of them is the chain.',
    look: 'Read both entries of this number: the one with the expected hash is what the rest of the chain goes on from.',
  },
  truncated: {
    meaning: 'The end is gone: a checkpoint was signed for more than there is.',
    look: besideEarlier,
  },
  rewritten: {
    meaning: 'It is sound in itself, but another hash was signed for it: it was made anew.',
    look: besideEarlier,
  },
  bad_signature: {
    meaning: 'A signature is wrong, or of a key that is not trusted here, or one that is asked for is missing.',
    look: 'Ask those who keep the signer keys (or the witnesses) which verifier keys they have handed out, and verify with all of them.',
  },
  unknown_version: {
    meaning: 'It is of a format that this version of the library does not know.',
    look: 'Verify with the newest version of the library.',
  },
  wrong_register: {
    meaning: 'A register of the entry is not what the readings and adjustments of its chain come to.',
    look: 'Add up the chain from the entry before it: expected says the register and its right value, found what is stored.',
  },
  repeated: {
    meaning: 'An event is in its chain a second time, with the same idempotency key.',
    look: 'Read both entries, and run setup(): the unique index over idempotency keys is gone.',
  },
  overlapping: {
    meaning: 'A file has entries again that a file before it has, and they are the same.',
    look: 'Leave one of the two out, or take an export that begins where the file before it ends.',
  },
  unexplained: {
    meaning: 'Something is not accounted for, and it is not known how it is damaged.',
    look: 'Read all documents of the chain (switchId) in the order of their numbers, beside an earlier export of it.',
  },
}

const byPlace: Readonly<Record<Finding['where'], string>> = {
  entry: '',
  personal_data: 'It is about personal data beside the ledger, not the entry itself: read it by the commitment.',
  checkpoint: 'It is about a signed checkpoint: compare its note with what the anchors and auditors keep.',
  tree: 'It is about the Merkle tree or its index, which are made from entries: the entries themselves may be sound.',
  archive: 'It is about what the database says is archived: verify the archive files themselves.',
  export: 'It is about the file as a whole: export it anew, or take another copy of it.',
}

/** Whatever place these are found in, there is one way to look at them. */
const anywhere: ReadonlySet<Finding['damage']> = new Set(['bad_signature', 'unknown_version', 'overlapping'])

/** What a finding means in one sentence, and how to look at it. */
export function explainFinding({ damage, where }: Pick<Finding, 'damage' | 'where'>): Explanation {
  const { meaning, look } = byDamage[damage]
  return { meaning, look: byPlace[where] === '' || anywhere.has(damage) ? look : byPlace[where] }
}
