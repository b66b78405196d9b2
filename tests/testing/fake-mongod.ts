import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Writes an executable that answers `--version` as a `mongod` of that version does. */
export async function writeFakeMongod(path: string, version = '6.0.5'): Promise<string> {
  return writeScript(path, `#!/bin/sh\necho "db version v${version}"\n`)
}

export async function writeScript(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  await chmod(path, 0o755)
  return path
}
