import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import axe, { type AxeResults } from 'axe-core'
import { type Browser, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'
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
  /** What the API answers the administrator. */
  get<Answer>(path: string): Promise<Answer>
}

export type SeededRole = 'admin' | 'faculty' | 'student' | 'user'

/** Signs in as the page does. @returns the headers of who has signed in. */
export async function signInAs(url: string, role: SeededRole): Promise<Record<string, string>> {
  const { people, password } = (await (await fetch(`${url}/api/me`)).json()) as {
    people: readonly { role: string; email: string }[]
    password: string
  }
  const email = people.find((one) => one.role === role)?.email
  const body = JSON.stringify({ email, password })
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/api/sign-in`, { method: 'POST', body, headers })
  if (!response.ok) throw new Error(`${role} was not let in: ${await response.text()}`)
  return { ...headers, cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '' }
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
  const isThere = eventually('the page is there', () => found(/page +(http:\S+)/), { timeoutMs: 300_000 })
  const url = await Promise.race([isThere, ended])
  const headers = await signInAs(url, 'admin')
  return {
    child,
    url,
    brokerUrl: `mqtt://${found(/broker .*?([\d.]+:\d+)/)}`,
    mongodUri: `mongodb://${found(/database .*?([\d.]+:\d+)/)}/?directConnection=true`,
    told: listen(url, headers),
    get: async <Answer>(path: string) => (await (await fetch(`${url}/api/${path}`, { headers })).json()) as Answer,
  }
}

/** Listens as a page does, until the test ends. */
function listen(url: string, headers: Record<string, string>): () => string {
  let told = ''
  const ending = new AbortController()
  cleanUpLater(async () => ending.abort())
  const read = async () => {
    const { body } = await fetch(`${url}/api/live`, { headers, signal: ending.signal })
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

const screens = {
  desk: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
} as const

export async function openPage(
  browser: Browser,
  url: string,
  role: SeededRole = 'admin',
  screen: keyof typeof screens = 'desk',
): Promise<HostPage> {
  // Each page has cookies of its own.
  const page = await browser.newPage(screens[screen])
  page.setDefaultTimeout(120_000)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('dialog', (dialog) => complaints.push(`a dialog: ${dialog.message()}`))
  page.on('request', (request) => request.url().startsWith(url) || complaints.push(`asked for ${request.url()}`))
  await page.goto(url)
  await page.locator(`[data-sign-in=${role}]`).click()
  // Neighbours have a page of their own, where nobody signs out.
  if (role === 'user') await page.waitForURL('**/neighbourhood.html')
  else await page.locator('#sign-out').waitFor()
  return { page, complaints, text: async (selector) => (await page.locator(selector).textContent()) ?? '' }
}

/** What people with a screen reader, a keyboard or weak eyes could not use: nothing, in light and dark, wide and narrow. */
export async function findNoBarriers({ page }: HostPage): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.evaluate(axe.source)
    const { violations } = await page.evaluate<AxeResults>('axe.run()')
    const found = violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => [id, html.slice(0, 150), failureSummary]),
    )
    expect(found, colorScheme).toEqual([])
  }
}

/** What is smaller than a fingertip, or makes the page wider than a phone: nothing. */
export async function findNothingTooSmall(page: Page, width: number): Promise<void> {
  const small = await page
    .locator('button:visible, select:visible, input:not([type=checkbox]):visible, a.chip:visible')
    .evaluateAll((nodes) =>
      nodes.flatMap((node) => {
        const { width, height } = node.getBoundingClientRect()
        return width < 40 || height < 40 ? [`${node.outerHTML.slice(0, 80)}: ${width} by ${height}`] : []
      }),
    )
  expect(small).toEqual([])
  expect(await page.locator('html').evaluate((node) => node.scrollWidth)).toBeLessThanOrEqual(width)
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
