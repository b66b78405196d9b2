import { ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import type { Seam } from '../archive/archive-entities.js'
import type { ExcessiveSeam, SeamBounds } from '../archive/seam-bounds.js'
import type { SeamStore } from '../archive/seam-store.js'
import type { LedgerEntry } from '../entry/entry.js'
import { genesisHash } from '../entry/hash.js'
import { keyOfSwitchId, switchIdOf } from '../entry/stored-bytes.js'
import type { Anchor } from '../log/anchor.js'
import { openCheckpoint, type TreeHead, UntrustedCheckpointError } from '../log/checkpoint-text.js'
import { NoteError, type VerifierKey } from '../log/signed-note.js'
import type { TransparencyLog } from '../log/transparency-log.js'
import type { PersonalData } from '../personal/personal-data.js'
import { documentsOf, scanRaw } from '../raw-scan.js'
import { ChainPass, type ChainStart } from './chain-pass.js'
import { findStrangers, summariesOfChain } from './chain-reader.js'
import { classifyChain } from './classify-chain.js'
import type { Evidence } from './evidence.js'
import { type Finding, Findings, type VerificationReport } from './finding.js'
import { FullEvidence, later } from './full-evidence.js'
import { askOutside, type Outside } from './outside.js'
import { checkPersonalData } from './personal-check.js'
import { ScopedEvidence } from './scoped-evidence.js'
import { CheckpointReader } from './tree-check.js'
import type { VerifyOptions } from './verify-options.js'

export interface VerificationParts {
  readonly database: Database
  /** The collection of the entries. */
  readonly entries: string
  /** The collection of their personal data. */
  readonly personalData: string
  readonly seams: SeamStore
  readonly bounds: SeamBounds
  readonly log: TransparencyLog
  readonly keys: readonly VerifierKey[]
  readonly anchors: readonly Anchor[]
}

/** Chains whose new entries are asked for at once. */
const chainsAtOnce = 100
const nothing = 'There was nothing to verify.'
const noKeys = 'No verifier keys are known, so no checkpoint was believed.'
const noCheckpoint = 'No checkpoint covers the entries: only their links show whether they were changed.'
const noAnchor =
  'Without an earlier checkpoint kept outside the database it cannot be excluded that chains were cut at their ends, or rewritten with new hashes.'

const onlySome =
  'Only these chains were read: that the tree has no later entries of theirs than its index says takes a verification of everything.'
const onlyNew = 'Entries that the known checkpoint covers were not read.'
const inArchives = (count: number) => `${count} entries are archived: verify the files that they are in.`

/** One verification of the ledger in its database. */
export class Verification {
  readonly #parts: VerificationParts
  readonly #options: VerifyOptions
  readonly #findings = new Findings()

  constructor(parts: VerificationParts, options: VerifyOptions) {
    this.#parts = parts
    this.#options = options
  }

  async run(): Promise<VerificationReport> {
    const { onlySince } = this.#options
    const { log, keys, anchors, database } = this.#parts
    const reader = new CheckpointReader(keys, this.#findings)
    const known = this.#knownHead()
    const isTrusting = keys.length > 0
    const outside = await askOutside(isTrusting ? anchors : [], known, reader, database.clock.now().getTime())
    const scope = this.#options.switchIds?.map((id) => new ObjectId(id))
    const since = onlySince ? known : undefined
    const { seams, excessive } = await this.#seams()
    for (const one of excessive) this.#findings.add(seamFinding(one))
    const evidence =
      scope === undefined
        ? await FullEvidence.gather(log, reader, this.#findings, outside, since, seams)
        : await ScopedEvidence.gather(log, reader, this.#findings, outside, scope, seams)
    const pass = await this.#follow(evidence, scope)
    await this.#findShortChains(pass, evidence)
    await this.#nameDamage(pass, evidence, scope)
    await this.#checkPersonalData(scope)
    return this.#report(pass, evidence, outside, seams)
  }

  /** Where chains begin whose first entries are archived; those that claim more begin where the archives end. */
  async #seams(): Promise<{ seams: Map<string, ChainStart>; excessive: readonly ExcessiveSeam[] }> {
    const { seams: store, bounds } = this.#parts
    const all = await store.all()
    const excessive = await bounds.excessive(all)
    const seams = startsOf(all)
    for (const { seam, archived } of excessive) {
      const chain = keyOfSwitchId(seam.switchId.toHexString())
      if (archived === undefined) seams.delete(chain)
      else seams.set(chain, archived)
    }
    return { seams, excessive }
  }

  /** What the caller knows. What nobody who is trusted has signed says nothing about the ledger. */
  #knownHead(): TreeHead | undefined {
    const { knownCheckpoint, onlySince, switchIds } = this.#options
    if (onlySince && knownCheckpoint === undefined) throw misuse('`onlySince` needs the `knownCheckpoint` it is about')
    if (onlySince && switchIds !== undefined) throw misuse('`onlySince` is about the whole ledger, not `switchIds`')
    if (knownCheckpoint === undefined) return undefined
    try {
      return openCheckpoint(knownCheckpoint, this.#parts.keys)
    } catch (error) {
      if (error instanceof NoteError || error instanceof UntrustedCheckpointError)
        throw misuse(`The \`knownCheckpoint\` cannot be compared with: ${error.message}`)
      throw error
    }
  }

  /** Reads the entries, and hashes each. */
  async #follow(evidence: Evidence, scope: readonly ObjectId[] | undefined): Promise<ChainPass> {
    const { signal, onProgress, onlySince } = this.#options
    const { database, entries } = this.#parts
    const pass = new ChainPass(evidence.starts, (chain) => evidence.listenerOf(chain))
    const queries = onlySince ? await this.#newEntries(evidence) : queriesOf(scope)
    for (const query of queries) {
      for await (const batch of scanRaw(database.native, entries, query, signal)) {
        for (const document of documentsOf(batch)) pass.take(document)
        await evidence.flush()
        onProgress?.({ entries: pass.entries })
      }
    }
    pass.end()
    return pass
  }

  /** Where the entries are that come after the starts of their chains. */
  async #newEntries({ starts }: Evidence): Promise<{ filter: object; hint: Record<string, 1> }[]> {
    const { database, entries } = this.#parts
    const switchIds = await database.native.collection(entries, { readPreference: 'primary' }).distinct('switchId')
    const conditions = switchIds.map((switchId: unknown) => {
      const start = switchId instanceof ObjectId ? starts.get(keyOfSwitchId(switchId.toHexString())) : undefined
      // What is no number at all is read, too.
      return start === undefined ? { switchId } : { switchId, sequence: { $not: { $lte: start.sequence } } }
    })
    return Array.from({ length: Math.ceil(conditions.length / chainsAtOnce) }, (_, at) => ({
      filter: { $or: conditions.slice(at * chainsAtOnce, (at + 1) * chainsAtOnce) },
      hint: { switchId: 1, sequence: 1 },
    }))
  }

  /** Chains that have fewer entries than the tree. */
  #findShortChains(pass: ChainPass, evidence: Evidence): void {
    for (const suspect of evidence.suspects) pass.suspects.add(suspect)
    for (const [chain, lastSequence] of evidence.covered()) {
      const start = evidence.starts.get(chain)?.sequence ?? 0
      const sequence = pass.chains.get(chain)?.sequence ?? start
      if (sequence < lastSequence) pass.suspects.add(chain)
    }
  }

  async #nameDamage(pass: ChainPass, evidence: Evidence, scope: readonly ObjectId[] | undefined): Promise<void> {
    const { database, entries } = this.#parts
    const { signal } = this.#options
    const inScope = scope && new Set(scope.map((id) => id.toHexString()))
    if (pass.hasStrangers) {
      for (const { entryId, switchId } of await findStrangers(database.native, entries, signal)) {
        if (switchId !== undefined && inScope?.has(switchId) === false) continue
        if (switchId !== undefined) pass.suspects.add(keyOfSwitchId(switchId))
        else
          this.#findings.add({
            damage: 'edited',
            where: 'entry',
            entryId,
            expected: 'an entry',
            found: 'something else',
          })
      }
    }
    if (pass.suspects.size === 0) return
    // Entries may have been archived since the verification began.
    const starts = later(evidence.starts, (await this.#seams()).seams)
    for (const chain of [...pass.suspects].sort()) {
      const switchId = switchIdOf(chain)
      const start = starts.get(chain) ?? { sequence: 0, hash: genesisHash }
      const found = await summariesOfChain(database.native, entries, new ObjectId(switchId), start.sequence, signal)
      this.#findings.add(...classifyChain(found, { switchId, start, signed: await evidence.signedHashes(chain) }))
    }
  }

  async #checkPersonalData(scope: readonly ObjectId[] | undefined): Promise<void> {
    const { database, entries, personalData } = this.#parts
    const [ledger, personal] = [
      database.native.collection<LedgerEntry>(entries, { readPreference: 'primary' }),
      database.native.collection<PersonalData>(personalData, { readPreference: 'primary' }),
    ]
    for await (const finding of checkPersonalData(ledger, personal, scope)) this.#findings.add(finding)
  }

  #report(
    pass: ChainPass,
    { newest, matched }: Evidence,
    outside: Outside,
    seams: ReadonlyMap<string, ChainStart>,
  ): VerificationReport {
    const findings = this.#findings.list
    const caveats = [...outside.caveats]
    if (pass.entries === 0) caveats.push(nothing)
    if (this.#parts.keys.length === 0) caveats.push(noKeys)
    else if (newest === undefined) caveats.push(noCheckpoint)
    else if (matched < pass.entries) {
      caveats.push(
        `${pass.entries - matched} entries came after the newest checkpoint: only their links show whether they were changed.`,
      )
    }
    if (outside.heads.length === 0) caveats.push(noAnchor)
    if (this.#options.switchIds !== undefined) caveats.push(onlySome)
    if (this.#options.onlySince) caveats.push(onlyNew)
    const archived = [...seams.values()].reduce((sum, { sequence }) => sum + sequence, 0)
    if (archived > 0) caveats.push(inArchives(archived))
    return {
      valid: pass.entries > 0 && findings.length === 0,
      entries: pass.entries,
      chains: pass.chains.size,
      invalidEntry: this.#findings.firstEntry,
      findings,
      checkpoint: newest === undefined ? null : { size: newest.size, rootHash: newest.rootHash.toString('hex') },
      coveredEntries: matched,
      archivedEntries: archived,
      newestAnchor: outside.anchors[0] ?? null,
      caveats,
    }
  }
}

function queriesOf(scope: readonly ObjectId[] | undefined): { filter?: object; hint?: Record<string, 1> }[] {
  if (scope === undefined) return [{}]
  return [{ filter: { switchId: { $in: scope } }, hint: { switchId: 1, sequence: 1 } }]
}

function misuse(message: string): DatabaseError {
  return new DatabaseError('CONFIGURATION', message)
}

function seamFinding({ seam, archived }: ExcessiveSeam): Finding {
  const { switchId, sequence, hash } = seam
  const expected =
    archived === undefined
      ? 'no seam: nothing of the chain is archived'
      : `a seam at entry ${archived.sequence} or before: no more is archived`
  return { damage: 'edited', where: 'tree', switchId: switchId.toHexString(), sequence, expected, found: hash }
}

function startsOf(seams: readonly Seam[]): Map<string, ChainStart> {
  return new Map(
    seams.map(({ switchId, sequence, hash }) => [keyOfSwitchId(switchId.toHexString()), { sequence, hash }]),
  )
}
