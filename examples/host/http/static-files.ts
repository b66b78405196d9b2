import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface StaticFile {
  readonly type: string
  readonly body: Buffer
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** The files of the page, and of the chart library, by their path. There are few, and no others can be asked for. */
export async function loadStaticFiles(): Promise<ReadonlyMap<string, StaticFile>> {
  const page = fileURLToPath(new URL('../page', import.meta.url))
  const files = new Map<string, StaticFile>()
  const add = async (path: string, file: string) => {
    files.set(path, { type: types[extname(file)] ?? 'application/octet-stream', body: await readFile(file) })
  }
  for (const name of await readdir(page)) await add(`/${name}`, join(page, name))
  await add('/', join(page, 'index.html'))
  await add('/vendor/uplot.js', fileURLToPath(import.meta.resolve('uplot/dist/uPlot.esm.js')))
  await add('/vendor/uplot.css', fileURLToPath(import.meta.resolve('uplot/dist/uPlot.min.css')))
  return files
}
