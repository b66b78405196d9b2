import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../core/clock.js'
import { DatabaseError } from '../core/errors.js'

export type MigrationLanguage = 'ts' | 'js'

/**
 * Writes a file for a new migration, named after the time and what it does.
 * @returns its path.
 * @throws DatabaseError `CONFIGURATION` if the name has no letter or digit, or the file cannot be written.
 */
export async function createMigrationFile(
  clock: Clock,
  folder: string,
  name: string,
  language: MigrationLanguage,
): Promise<string> {
  const words = name
    .normalize('NFKD')
    .toLowerCase()
    .match(/[a-z0-9]+/g)
  if (words === null)
    throw new DatabaseError('CONFIGURATION', 'Name the migration by what it does, such as add-priority')
  const time = clock.now().toISOString().replaceAll(/\D/g, '').slice(0, 14)
  const path = join(folder, `${time}-${words.join('-').slice(0, 150)}.${language}`)
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(path, template(words.join(' '), language), { flag: 'wx' })
  } catch (error) {
    throw new DatabaseError(
      'CONFIGURATION',
      `${path} cannot be written: ${(error as Error).message}. Next: name another folder, or give yourself the right to write there`,
    )
  }
  return path
}

function template(description: string, language: MigrationLanguage): string {
  const isTyped = language === 'ts'
  const context = isTyped ? '{ db }: MigrationContext' : '{ db }'
  const imported = isTyped ? "import type { MigrationContext } from '@autovolt/data/migrations'\n\n" : ''
  return `${imported}export const description = '${description}'

/** Runs each function in a transaction, together with its record: all of it happens, or nothing. */
export const transaction = true

export async function up(${context}) {
  await db.collection('examples').updateMany({ isNew: { $exists: false } }, { $set: { isNew: true } })
}

/** Undoes what \`up\` did, and nothing else. Leave it out if that cannot be. */
export async function down(${context}) {
  await db.collection('examples').updateMany({ isNew: true }, { $unset: { isNew: '' } })
}
`
}
