import { ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import type { ArchiveStore } from '../archive/archive-store.js'
import type { SeamStore } from '../archive/seam-store.js'
import { chainHint } from '../chain-index.js'
import { genesisHash } from '../entry/hash.js'
import { keyOfSwitchId, switchIdOf } from '../entry/stored-bytes.js'
import { isLedgerDamage } from '../ledger-damage.js'
import type { Anchor } from '../log/anchor.js'
import type { VerifierKey } from '../log/signed-note.js'
import type { TransparencyLog } from '../log/transparency-log.js'
import { documentsOf, type RawQuery, scanRaw } from '../raw-scan.js'
import { viewsAmong } from '../views.js'
import { type ArchivedState, checkArchives } from './archive-check.js'
import { type ChainListener, ChainPass } from './chain-pass.js'
import { summariesOfChain } from './chain-reader.js'
import { classifyChain } from './classify-chain.js'
import type { Evidence } from './evidence.js'
import { type Finding, Findings, type VerificationReport } from './finding.js'
import { FullEvidence, later } from './full-evidence.js'
import { repeatedKeys } from './key-check.js'
import { askForTreeHeads, type KnownTreeHeads } from './known-tree-heads.js'
import { newEntriesQueries } from './new-entries-query.js'
import { checkPersonalData } from './personal-check.js'
import { RegisterPass } from './register-pass.js'
import { reportOf } from './report.js'
import { Scope } from './scope.js'
import { ScopedEvidence } from './scoped-evidence.js'
import { Strangers } from './strangers.js'
import { CheckpointReader } from './tree-check.js'
import { knownHeadOf, witnessPolicyOf } from './verify-inputs.js'
import type { VerifyOptions } from './verify-options.js'
import { checkWitnesses } from './witness-check.js'

export interface VerificationParts {
  readonly database: Database
  /** The collection of the entries. */
  readonly entries: string
  /** The collection of their personal data. */
  readonly personalData: string
  /** All collections of the ledger. */
  readonly collections: readonly string[]
  readonly seams: SeamStore
  readonly archives: ArchiveStore
  readonly log: TransparencyLog
  readonly keys: readonly VerifierKey[]
  readonly anchors: readonly Anchor[]
}

/**
 * One verification of the ledger in its database. It is valid only if everything was accounted for: each document read is a sound
 * entry in its place, and each leaf of the tree has its entry or its archive.
 */
export class Verification {
  readonly #parts: VerificationParts
  readonly #options: VerifyOptions
  readonly #findings = new Findings()
  readonly #reader: CheckpointReader
  readonly #strangers = new Strangers()
  /** The switches of chains that something is wrong with. */
  readonly #damagedChains = new Set<string>()

  constructor(parts: VerificationParts, options: VerifyOptions) {
    this.#parts = parts
    this.#options = options
    this.#reader = new CheckpointReader(parts.keys, this.#findings)
  }

  async run(): Promise<VerificationReport> {
    const { keys, anchors, database } = this.#parts
    const policy = witnessPolicyOf(this.#options)
    const known = knownHeadOf(this.#options, keys)
    const asked = keys.length > 0 ? anchors : []
    const knownHeads = await askForTreeHeads(asked, known, this.#reader, database.clock.now().getTime())
    for (const view of await viewsAmong(database.native, this.#parts.collections))
      this.#findings.add({
        damage: 'unexplained',
        where: view === this.#parts.entries ? 'entry' : 'tree',
        expected: `a collection ${view}`,
        found: 'a view in its place',
      })
    const archived = await checkArchives(this.#parts, this.#findings)
    const scope = new Scope(this.#options, archived.seams)
    const evidence = await this.#evidence(scope, archived, knownHeads)
    const registers = this.#registerPass(archived)
    const pass = await this.#follow(evidence, scope, registers)
    for (const chain of evidence.unaccounted(pass.chains)) pass.suspects.add(chain)
    const tree = treeOf(evidence, () => this.#wholeTree(archived, knownHeads))
    await this.#nameDamage(pass, evidence, scope, tree)
    const damaged = this.#damagedChains
    const add = (finding: Finding) => this.#addInScope(finding, scope, pass)
    if (registers !== undefined) for await (const finding of registers.findings(pass, damaged)) add(finding)
    for await (const finding of repeatedKeys(database, this.#parts.entries, this.#readOnly(scope)))
      if (!damaged.has(finding.switchId ?? '')) add(finding)
    // The entry that it belongs to may be the one that is gone, or was changed.
    for await (const finding of checkPersonalData({
      ...this.#parts,
      switchIds: this.#readOnly(scope),
      signedHashesOf: async (chain) => (await (await tree()).signedChain(chain)).hashes,
    }))
      if (finding.damage !== 'inserted' || !damaged.has(finding.switchId ?? '')) add(finding)
    const unwitnessed = await (policy &&
      checkWitnesses(policy, this.#parts.log.checkpoints, evidence.newest, this.#findings))
    const chains = scope.of(pass.chains)
    const matched =
      scope.ofDevices === undefined ? evidence.matched : evidence.matchedOf(chains.map(([chain]) => chain))
    return reportOf({
      findings: this.#findings,
      chains,
      strangers: scope.ofDevices === undefined ? this.#strangers.count : 0,
      matched,
      newest: evidence.newest,
      knownHeads,
      unwitnessed: unwitnessed ?? [],
      archived,
      options: this.#options,
      hasKeys: keys.length > 0,
      archivedRegisters: registers?.archived ?? 0,
    })
  }

  /** Of some switches as much as it takes, as long as nothing is wrong with what that rests on. */
  async #evidence(scope: Scope, archived: ArchivedState, knownHeads: KnownTreeHeads): Promise<Evidence> {
    const switchIds = this.#readOnly(scope)
    const parts = { log: this.#parts.log, reader: this.#reader, findings: this.#findings, knownHeads, archived }
    if (switchIds !== undefined && archived.isBound) {
      try {
        return await ScopedEvidence.gather({ ...parts, switchIds })
      } catch (error) {
        // The whole tree says what is damaged of it.
        if (!isLedgerDamage(error)) throw error
      }
    }
    return this.#wholeTree(archived, knownHeads)
  }

  #wholeTree(archived: ArchivedState, knownHeads: KnownTreeHeads): Promise<FullEvidence> {
    const since = this.#options.onlySince ? knownHeads.known : undefined
    return FullEvidence.gather({
      log: this.#parts.log,
      reader: this.#reader,
      findings: this.#findings,
      knownHeads,
      archived,
      since,
    })
  }

  /** The switches whose entries alone are read; undefined if all are. */
  #readOnly({ switchIds, ofDevices }: Scope): readonly ObjectId[] | undefined {
    return ofDevices === undefined ? switchIds : undefined
  }

  /** Registers go back to the first entry of each chain: where only some are read they are not recomputed. */
  #registerPass({ seams }: ArchivedState): RegisterPass | undefined {
    const { registers = true, onlySince = false, signal } = this.#options
    if (!registers || onlySince) return undefined
    const archivedUntilMs = new Map(
      seams.map(({ switchId, until }) => [keyOfSwitchId(switchId.toHexString()), until.getTime()]),
    )
    const { database, entries } = this.#parts
    return new RegisterPass({ database, entries, archivedUntilMs, signal })
  }

  /** Reads the entries, and hashes each. */
  async #follow(evidence: Evidence, scope: Scope, registers: RegisterPass | undefined): Promise<ChainPass> {
    const { signal, onProgress } = this.#options
    const { database, entries } = this.#parts
    const pass = new ChainPass({
      starts: evidence.starts,
      listenerOf: (chain) => listenerOf(chain, evidence, scope, registers),
      onStranger: (document) => this.#strangers.take(document),
    })
    for (const query of await this.#queries(evidence, scope)) {
      for await (const batch of scanRaw(database.native, entries, query, signal)) {
        for (const document of documentsOf(batch)) pass.take(document)
        await evidence.flush()
        onProgress?.({ entries: pass.entries })
      }
    }
    pass.end()
    return pass
  }

  async #queries({ starts }: Evidence, scope: Scope): Promise<readonly RawQuery[]> {
    const { database, entries } = this.#parts
    if (this.#options.onlySince) return newEntriesQueries(database.native.collection(entries), starts)
    const switchIds = this.#readOnly(scope)
    if (switchIds === undefined) return [{}]
    return [{ filter: { switchId: { $in: switchIds } }, ...(await chainHint(database.native.collection(entries))) }]
  }

  /** Looks at each chain that is not known to be sound by itself: it is accounted for then, or there is a finding. */
  async #nameDamage(
    pass: ChainPass,
    evidence: Evidence,
    scope: Scope,
    tree: () => Promise<FullEvidence>,
  ): Promise<void> {
    for (const { switchId } of this.#strangers.list)
      if (switchId !== undefined) pass.suspects.add(keyOfSwitchId(switchId))
    const named = new Set<string>()
    const looked = new Set<string>()
    if (pass.suspects.size > 0) {
      const { database, entries } = this.#parts
      // Entries may have been archived since the verification began.
      const now = await checkArchives(this.#parts, new Findings())
      const starts = now.isBound ? later(evidence.starts, now.starts) : evidence.starts
      for (const chain of [...pass.suspects].sort()) {
        if (!scope.concerns(chain, pass)) continue
        const switchId = switchIdOf(chain)
        looked.add(switchId)
        const start = starts.get(chain) ?? { sequence: 0, hash: genesisHash }
        const found = await summariesOfChain(database.native, entries, new ObjectId(switchId), this.#options.signal)
        for (const { entryId, fault } of found) if (fault !== undefined) named.add(entryId)
        const signed = await (await tree()).signedChain(chain)
        const isAsked = ({ sequence }: { sequence: number }) =>
          !this.#options.onlySince || !(sequence <= start.sequence)
        const findings = classifyChain(found.filter(isAsked), { switchId, start, signed })
        if (findings.length > 0) this.#damagedChains.add(switchId)
        this.#findings.addAll(findings)
      }
    }
    this.#strangers.addTo(this.#findings, named, looked)
  }

  /** What is found in a chain that is of others is left out. */
  #addInScope(finding: Finding, scope: Scope, pass: ChainPass): void {
    const { switchId } = finding
    if (switchId === undefined || scope.concerns(keyOfSwitchId(switchId), pass)) this.#findings.add(finding)
  }
}

function listenerOf(
  chain: string,
  evidence: Evidence,
  { ofDevices }: Scope,
  registers: RegisterPass | undefined,
): ChainListener {
  const leaves = evidence.listenerOf(chain)
  const passing = registers?.of(chain)
  return {
    take(sequence, entry) {
      leaves.take(sequence, entry)
      ofDevices?.take(chain, entry)
    },
    follow: (entry) => passing?.take(entry),
    followLater: () => passing?.readAgain(),
  }
}

/** The whole tree, which is built if it takes it to say what is wrong. */
function treeOf(evidence: Evidence, gather: () => Promise<FullEvidence>): () => Promise<FullEvidence> {
  let tree: Promise<FullEvidence> | undefined
  return () => {
    tree ??= evidence instanceof FullEvidence ? Promise.resolve(evidence) : gather()
    return tree
  }
}
