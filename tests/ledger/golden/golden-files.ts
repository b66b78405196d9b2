import { readFileSync } from 'node:fs'

/** A file of a version's golden ledger. */
export function golden(version: string, name: string): string {
  return readFileSync(new URL(`${version}/${name}`, import.meta.url), 'utf8')
}

/** The stored bytes of the entries of an export, in the order of the tree. */
export function storedEntriesOf(exported: string): Buffer[] {
  return exported
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { entry?: string })
    .flatMap(({ entry }) => (entry === undefined ? [] : [Buffer.from(entry, 'base64')]))
}
