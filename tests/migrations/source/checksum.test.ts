import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { transformSync } from 'esbuild'
import { ObjectId } from 'mongodb'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { canonicalFunction } from '../../../src/migrations/source/canonical-function.js'
import { checksumOf } from '../../../src/migrations/source/checksum.js'
import { cleanUpLater } from '../../support/clean-up.js'

type AnyFunction = (...given: never[]) => unknown

const source = `
import { setTimeout } from 'node:timers/promises'
import { join } from 'node:path'
import { format } from 'node:util'
interface Thing { a: number }
export async function up({ db, signal }: { db: any; signal: AbortSignal }) {
  // A comment.
  const rate: number = 1_000
  function inner(x: Thing) { return x?.a ?? 'none' }
  const other = (y) => { if (y === undefined) return \`hello\`; else throw new Error("it's " + y) }
  for (const d of [1, 2, 3]) await setTimeout(d)
  const { 'a-b': q, ...rest } = { 'a-b': 1, z: /ab+/gi } as any
  join('a', "b", format('%s', 1e3))
  await (db as any).collection('x').updateMany({ 'a': { $exists: false } }, [{ $set: { a: (rate + 1) * 2, b: rate + 1 * 2, c: inner({ a: 1 })!, other, d: q, ...rest } }])
  class Part { static z = 1; #p = 2; get v() { return this.#p } run(): void {} }
  label: while (true) { if (signal.aborted) break label; else void new Part() }
  return (await db.collection('x').countDocuments()) as number
}
`

/** The function as Node sees it once the source was built. */
async function built(code: string, extension: 'mjs' | 'cjs'): Promise<AnyFunction> {
  const folder = await mkdtemp(join(tmpdir(), 'autovolt-checksum-'))
  cleanUpLater(() => rm(folder, { recursive: true }))
  const file = join(folder, `${randomUUID()}.${extension}`)
  await writeFile(file, code)
  const module = await import(pathToFileURL(file).href)
  return (module.default ?? module).up
}

const byTypeScript = (module: ts.ModuleKind, text = source) =>
  ts.transpileModule(text, { compilerOptions: { target: ts.ScriptTarget.ES2022, module } }).outputText
const byEsbuild = (options: object, text = source) =>
  transformSync(text, { loader: 'ts', target: 'node20', ...options }).code

const reference = async () => canonicalFunction(await built(byTypeScript(ts.ModuleKind.ESNext), 'mjs'))

describe('the canonical source of a function', () => {
  it.each([
    ['esbuild to ES modules', byEsbuild({ format: 'esm' }), 'mjs'],
    ['tsx, which keeps names', byEsbuild({ format: 'esm', keepNames: true }), 'mjs'],
    ['esbuild to CommonJS', byEsbuild({ format: 'cjs', keepNames: true }), 'cjs'],
    ['esbuild without white space', byEsbuild({ format: 'esm', minifyWhitespace: true }), 'mjs'],
    ['TypeScript to CommonJS', byTypeScript(ts.ModuleKind.CommonJS), 'cjs'],
    ['TypeScript for newer targets', byTypeScript(ts.ModuleKind.Preserve), 'mjs'],
  ] as const)('is the same when it was built by %s', async (_, code, extension) => {
    expect(canonicalFunction(await built(code, extension))).toBe(await reference())
  })

  it.each([
    ['comments', (text: string) => text.replaceAll('// A comment.', '/* Another, longer one. */')],
    [
      'formatting',
      (text: string) => text.replaceAll(', ', ',\n      ').replaceAll('"', "'").replaceAll("it's", "it\\'s"),
    ],
    ['types', (text: string) => text.replaceAll(': number', ': any').replaceAll('as any', 'as unknown as any')],
    ['parentheses that change nothing', (text: string) => text.replace('rate + 1 * 2', 'rate + (1 * 2)')],
    ['the way of writing a number', (text: string) => text.replace('1_000', '1000').replace('1e3', '0x3e8')],
    ['braces around a statement', (text: string) => text.replace('await setTimeout(d)', '{ await setTimeout(d) }')],
    ['quotes of a property', (text: string) => text.replace("'a': {", 'a: {').replace('other,', '"other": other,')],
    ['names of local variables', (text: string) => text.replaceAll(/\brate\b/g, 'price').replaceAll(/\bq\b/g, 'part')],
    ['semicolons', (text: string) => text.replaceAll(/\n {2}for/g, ';\n  for')],
  ])('is the same with other %s', async (_, change) => {
    expect(change(source)).not.toBe(source)
    expect(canonicalFunction(await built(byEsbuild({ format: 'esm' }, change(source)), 'mjs'))).toBe(await reference())
  })

  it.each([
    ['a number', '1_000', '1_001'],
    ['parentheses that matter', '(rate + 1) * 2', 'rate + 1 * 2'],
    ['an operator', 'rate + 1 * 2', 'rate - 1 * 2'],
    ['a text', "'x'", "'y'"],
    ['a pattern', '/ab+/gi', '/ab+/g'],
    ['a property', '$exists', '$type'],
    ['a statement less', "join('a', \"b\", format('%s', 1e3))\n", '\n'],
    ['the order of statements', 'class Part', 'rate.toFixed(); class Part'],
    ['what is imported', 'setTimeout', 'setImmediate'],
    ['another local variable', 'd: q', 'd: rate'],
    ['await', 'for (const d of [1, 2, 3]) await', 'for (const d of [1, 2, 3]) void'],
    ['a default', 'x?.a', 'x.a'],
  ])('is another one with %s changed', async (_, before, after) => {
    const changed = source.replaceAll(before, after)
    expect(changed).not.toBe(source)
    expect(canonicalFunction(await built(byEsbuild({ format: 'esm' }, changed), 'mjs'))).not.toBe(await reference())
  })

  it('does not depend on how the function is written as a member', () => {
    const forms: AnyFunction[] = [
      { up: async (a: number) => a + 1 }.up,
      {
        async up(b: number) {
          return b + 1
        },
      }.up,
      async function named(c: number) {
        return c + 1
      },
    ]
    expect(new Set(forms.map(canonicalFunction)).size).toBe(1)
  })

  it('cannot be read of a function that has none', () => {
    for (const work of [Math.max, (() => 1).bind(null)]) {
      expect(() => canonicalFunction(work)).toThrow('neither bound nor native')
    }
  })
})

describe('the checksum of what is declared', () => {
  const id = new ObjectId()
  const declared = () => ({
    filter: { at: new Date(0), id, name: /x/i },
    update: [{ $set: { a: 1 } }],
    skip: undefined,
  })

  it('is that of the values', () => {
    expect(checksumOf(declared())).toBe(checksumOf({ ...declared(), skip: undefined }))
    expect(checksumOf(declared())).toMatch(/^[0-9a-f]{64}$/)
    for (const other of [
      { filter: { ...declared().filter, at: new Date(1) } },
      { filter: { ...declared().filter, id: new ObjectId() } },
      { filter: { ...declared().filter, name: /x/ } },
      { update: [{ $set: { a: '1' } }] },
      { update: [] },
      { skip: null },
    ]) {
      expect(checksumOf({ ...declared(), ...other })).not.toBe(checksumOf(declared()))
    }
  })

  // Records of every database hold these: a change of the way they are made would make all of them differ.
  it('stays as it is from version to version', () => {
    expect(checksumOf(['function', async ({ a }: { a: number }) => a + 1])).toBe(
      'f7df2712bfaea489e3d3bb27afc7c5e1b4aaaa4cf59b30e9465aad91aa028ead',
    )
    expect(checksumOf({ collection: 'a', update: { $set: { b: new Date(0) } } })).toBe(
      '1326ba310c585ea978f37ca8728b56762b96481c0af0b36ee28649457824b6ee',
    )
  })
})
