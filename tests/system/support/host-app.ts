import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { type Browser, chromium, type Page } from 'playwright-core'
import { type Child, startChild } from '../../support/child.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { eventually } from '../../support/eventually.js'

const main = new URL('../../../examples/host/main.ts', import.meta.url)

export interface HostApp {
  readonly child: Child
  readonly url: string
  readonly brokerUrl: string
  readonly mongodUri: string
  /** Everything that pages were told so far. */
  readonly told: () => string
  /** What the API answers. */
  get<Answer>(path: string): Promise<Answer>
}

/** Starts the app without waiting for anything. */
export function startHostProcess(env: Readonly<Record<string, string>>): Child {
  return startChild(main, { asItIs: true, env: { PORT: '0', ...env } })
}

/** Starts the app, on a free port, and waits until the page is there. */
export async function startHostApp(env: Readonly<Record<string, string>>): Promise<HostApp> {
  const child = startHostProcess(env)
  const found = (pattern: RegExp) => pattern.exec(child.output)?.[1]
  const ended = child.exit.then(() => {
    throw new Error(`The app ended before its page was there:\n${child.output}`)
  })
  const isThere = eventually('the page is there', () => found(/page +(http:\S+)/), { timeoutMs: 60_000 })
  const url = await Promise.race([isThere, ended])
  return {
    child,
    url,
    brokerUrl: `mqtt://${found(/broker .*?([\d.]+:\d+)/)}`,
    mongodUri: `mongodb://${found(/database .*?([\d.]+:\d+)/)}/?directConnection=true`,
    told: listen(url),
    get: async <Answer>(path: string) => (await (await fetch(`${url}/api/${path}`)).json()) as Answer,
  }
}

/** Listens as a page does, until the test ends. */
function listen(url: string): () => string {
  let told = ''
  const ending = new AbortController()
  cleanUpLater(async () => ending.abort())
  const read = async () => {
    const { body } = await fetch(`${url}/api/live`, { signal: ending.signal })
    for await (const chunk of body ?? []) told += Buffer.from(chunk).toString()
  }
  read().catch(() => undefined)
  return () => told
}

export async function startBrowser(): Promise<Browser> {
  const quiet = ['quic', 'background-networking', 'component-update', 'sync'].map((what) => `--disable-${what}`)
  const args = ['--no-sandbox', '--disable-gpu', '--no-first-run', ...quiet]
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args })
  cleanUpLater(() => browser.close())
  return browser
}

export interface HostPage {
  readonly page: Page
  /** Errors, dialogs, and requests to anywhere else. */
  readonly complaints: readonly string[]
  text(selector: string): Promise<string>
}

export async function openPage(browser: Browser, url: string): Promise<HostPage> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('dialog', (dialog) => complaints.push(`a dialog: ${dialog.message()}`))
  page.on('request', (request) => request.url().startsWith(url) || complaints.push(`asked for ${request.url()}`))
  await page.goto(url)
  return { page, complaints, text: async (selector) => (await page.locator(selector).textContent()) ?? '' }
}

/** The process id of the `mongod` that the app has started. */
export async function mongodOf({ pid }: Child): Promise<number> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ')
  for (const child of children) {
    if ((await readFile(`/proc/${child}/comm`, 'utf8')).trim() === 'mongod') return Number(child)
  }
  throw new Error(`The process ${pid} has no mongod`)
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** The temporary folders of the app's `mongod`. */
export async function dataFoldersOf({ pid }: Child): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith(`autovolt-mongod-${pid}-`))
}
