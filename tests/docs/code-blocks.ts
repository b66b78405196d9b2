import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../../', import.meta.url)

export interface CodeBlock {
  /** Such as `docs/mqtt.md:12`. */
  readonly place: string
  readonly language: string
  readonly code: string
}

/** The code blocks of the README and the guides. */
export function readCodeBlocks(): CodeBlock[] {
  const guides = readdirSync(new URL('docs', root), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.md'))
  return ['README.md', ...guides.map((name) => `docs/${name}`)].flatMap(blocksOf)
}

function blocksOf(name: string): CodeBlock[] {
  const text = readFileSync(new URL(name, root), 'utf8')
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map((match) => ({
    place: `${name}:${text.slice(0, match.index).split('\n').length}`,
    language: match[1] ?? '',
    code: match[2] ?? '',
  }))
}

/** Where the repository is. */
export const rootFolder: string = fileURLToPath(root)
