import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import {
  ExportError,
  NoteError,
  UntrustedCheckpointError,
  type VerificationReport,
  verifyConsistency,
  verifyExport,
  verifyInclusion,
} from '@autovolt/data/ledger'
import { bytesOf, type Vector, type Verdict } from './vector.js'

/** What the library says of a vector. */
export async function libraryVerdict(vector: Vector): Promise<Verdict> {
  if (vector.proof !== undefined) return proofVerdict(bytesOf(vector.proof), vector.keys)
  const files = (vector.files ?? []).map(
    (content) =>
      async function* () {
        yield bytesOf(content)
      },
  )
  const options = {
    verifierKeys: vector.keys,
    ...(vector.known === undefined ? {} : { knownCheckpoint: vector.known }),
  }
  try {
    return verdictOf(await verifyExport(files.length === 1 && files[0] !== undefined ? files[0] : files, options))
  } catch (error) {
    return cannotTell(error)
  }
}

/** @throws the error, if it is not one that says that nothing can be told. */
function cannotTell(error: unknown): Verdict {
  const isExpected =
    error instanceof ExportError || error instanceof NoteError || error instanceof UntrustedCheckpointError
  if (!isExpected) throw error
  return 'cannot tell'
}

function verdictOf({ valid, findings }: VerificationReport): Verdict {
  if (findings.length > 0) return 'damaged'
  return valid ? 'sound' : 'cannot tell'
}

function proofVerdict(bytes: Buffer, keys: readonly string[]): Verdict {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  try {
    return verifyInclusion(text, keys).valid || verifyConsistency(text, keys).valid ? 'sound' : 'damaged'
  } catch (error) {
    return cannotTell(error)
  }
}

const verdicts: readonly Verdict[] = ['sound', 'damaged', 'cannot tell']

/** A verifier that runs as a process of its own: a case in JSON a line, and its exit code for each. */
export class ProcessVerifier {
  readonly #process: ChildProcess
  readonly #waiting: { resolve(verdict: Verdict): void; reject(error: Error): void }[] = []

  constructor(command: string, args: readonly string[]) {
    this.#process = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdout } = this.#process
    if (stdout === null) throw new Error('The verifier has no output')
    createInterface({ input: stdout }).on('line', (line) => {
      const verdict = verdicts[Number(line[0])]
      const next = this.#waiting.shift()
      if (verdict === undefined) next?.reject(new Error(`The verifier said: ${line}`))
      else next?.resolve(verdict)
    })
    this.#process.on('error', (error) => this.#fail(error))
    this.#process.on('exit', (code) => this.#fail(new Error(`The verifier ended with ${code}`)))
  }

  verdictOf({ files, proof, keys, known }: Vector): Promise<Verdict> {
    const one = {
      keys,
      ...(known === undefined ? {} : { known }),
      ...(files === undefined ? {} : { files: files.map((content) => bytesOf(content).toString('base64')) }),
      ...(proof === undefined ? {} : { proof: bytesOf(proof).toString('base64') }),
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#process.stdin?.write(`${JSON.stringify(one)}\n`)
    })
  }

  [Symbol.dispose](): void {
    this.#process.stdin?.end()
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}
