import { isPlainObject } from '../core/is-record.js'
import type { HeldDocument } from './held-about.js'

export interface ExportHead {
  /** The id of the person, in hexadecimal. */
  readonly person: string
  readonly exportedAt: Date
  /** Entities and fields of which nobody has said whether they are personal: nothing was looked for there. */
  readonly notDeclared: readonly string[]
}

type Pieces = AsyncGenerator<string, void, undefined>

/** One object in JSON, a document in each line. */
export async function* jsonOf(head: ExportHead, held: AsyncIterable<HeldDocument>): Pieces {
  const text = JSON.stringify(head)
  yield `${text.slice(0, -1)},"documents":[`
  let separator = '\n'
  for await (const document of held) {
    yield `${separator}${JSON.stringify(document)}`
    separator = ',\n'
  }
  yield '\n]}\n'
}

const style =
  'body{font:16px sans-serif;max-width:60em;margin:2em auto}table{border-collapse:collapse;margin:1em 0}th,td{border:1px solid #999;padding:.2em .5em;text-align:left;vertical-align:top;overflow-wrap:anywhere}'

/** A page for people: a table for each document. It has no script, and refers to nothing outside. */
export async function* htmlOf(
  { person, exportedAt, notDeclared }: ExportHead,
  held: AsyncIterable<HeldDocument>,
): Pieces {
  yield `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>What is held about ${escaped(person)}</title><style>${style}</style></head><body>\n`
  yield `<h1>What is held about ${escaped(person)}</h1>\n<p>As of ${exportedAt.toISOString()}.</p>\n`
  if (notDeclared.length > 0) yield `<p>Not looked at: ${escaped(notDeclared.join(', '))}.</p>\n`
  let last: string | undefined
  for await (const { collection, entity, because, document } of held) {
    if (collection !== last) yield `<h2>${escaped(entity)} (${escaped(collection)})</h2>\n`
    last = collection
    const rows = [...rowsOf('', document)].map(
      ([path, text]) => `<tr><th>${escaped(path)}</th><td>${escaped(text)}</td></tr>`,
    )
    yield `<table><caption>by ${escaped(because)}</caption>${rows.join('')}</table>\n`
  }
  yield '</body></html>\n'
}

function* rowsOf(path: string, value: unknown): Generator<readonly [string, string], void, undefined> {
  const inside = Array.isArray(value) ? [...value.entries()] : isPlainObject(value) ? Object.entries(value) : undefined
  if (inside === undefined) yield [path, textOf(value)]
  else for (const [name, inner] of inside) yield* rowsOf(path === '' ? String(name) : `${path}.${name}`, inner)
}

function textOf(value: unknown): string {
  const text = JSON.stringify(value) ?? ''
  const plain: unknown = text === '' ? '' : JSON.parse(text)
  return typeof plain === 'string' ? plain : text
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
}
