import { expect, it } from 'vitest'
import { loadOfTrouble, type TroubleKind, troubleKinds } from '../../examples/host/simulator/troubles.js'
import { AutoVolt } from '../../src/autovolt.js'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import {
  findNoBarriers,
  findNothingTooSmall,
  type HostApp,
  type HostPage,
  openPage,
  type SeededRole,
  signInAs,
  startBrowser,
  startHostApp,
} from './support/host-app.js'

const seed = 4_713
/** A device may be away just when something is to be wrong with it; then it is tried again. */
const patience = { timeoutMs: 300_000, everyMs: 1_000 }
const narrow = { width: 360, height: 740 }

interface Row {
  readonly id: string
  readonly type: string
  readonly room: string | null
  readonly case: string | null
}

interface Desk {
  readonly alerts: readonly Row[]
  readonly over: readonly Row[]
  readonly cases: readonly { readonly id: string; readonly room: string | null }[]
}

it('shows alerts as they come, and a case with its history and the curve around it', async () => {
  const app = await startHostApp({ SEED: String(seed) })
  const browser = await startBrowser()
  const host = await openPage(browser, app.url)
  await host.page.locator('#chip-incidents').click()
  await host.page.waitForURL('**/incidents.html')
  const alert = await causeOne(app, host)
  await lookAtIt(app, host, alert)
  await workOnIt(host, alert)
  await causeEachKind(app)
  await refuseOthers(app)
  await findNoBarriers(host)
  expect(host.complaints).toEqual([])

  const phone = await openPage(browser, app.url, 'faculty', 'phone')
  await phone.page.setViewportSize(narrow)
  await phone.page.goto(`${app.url}/incidents.html`)
  await phone.page.locator('#case-list button, #cases-none').first().waitFor()
  await findNothingTooSmall(phone.page, narrow.width)
  expect(await phone.page.locator('#cause').isVisible()).toBe(false)
  expect(await app.child.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(app.child.output).not.toContain('did not end in order')
})

/** Something gets hot, and the open page shows it by itself. @returns the alert, which has a case. */
async function causeOne(app: HostApp, { page }: HostPage): Promise<Row> {
  const tooHot = async () => {
    await page.locator('[data-cause=over_temperature]').click()
    const found = async () => {
      const { alerts } = await app.get<Desk>('incidents')
      return alerts.find((one) => one.type === 'over_temperature' && one.case !== null)
    }
    return eventually('an alert is opened and put to a case', found, { timeoutMs: 60_000, everyMs: 500 })
  }
  const alert = await eventually('it is too hot', tooHot, patience)
  const row = page.locator(`#alert-list [data-alert="${alert.id}"]`)
  await row.waitFor()
  expect(await row.textContent()).toMatch(/critical.*Too hot: \d\d(\.\d)? °C, and the limit is 65 °C/)
  expect(await page.locator('#alerts-none').isVisible()).toBe(false)
  await row.locator('button', { hasText: 'I have seen it' }).click()
  await eventually('somebody has seen it', async () => {
    const shown = page.locator(`[data-alert="${alert.id}"]`, { hasText: 'somebody has seen it' })
    return (await shown.count()) > 0 || (await row.count()) === 0
  })
  return alert
}

/** The case has the alert, and a curve that is beyond the limit. */
async function lookAtIt(app: HostApp, { page, text }: HostPage, alert: Row): Promise<void> {
  await page.locator(`#case-list [data-case="${alert.case}"] button`).click()
  await page.locator(`#case[data-shown="${alert.case}"]`).waitFor()
  // At once: cases that nobody has taken are the caretaker's once their alerts are over.
  await page.locator('#case-take').click()
  await page.locator(`#case-alerts [data-curve="${alert.id}"]`).click()
  // A line that is level has no height, and so counts as hidden.
  await page.locator('#curve .limit').waitFor({ state: 'attached' })
  await eventually('the curve is the temperature', async () => (await text('#curve-title')).startsWith('temperature'))
  expect(await text('#curve-note')).toContain('the limit is 65 °C')
  const curve = await app.get<{ points: { value: number }[]; limit: number }>(`incidents/curve?alert=${alert.id}`)
  expect(curve.points.some(({ value }) => value > curve.limit)).toBe(true)
  expect(curve.points.some(({ value }) => value < curve.limit)).toBe(true)
  const drawn = await page.locator('#curve polyline').first().getAttribute('points')
  expect(drawn?.split(' ').length).toBeGreaterThan(2)
}

/** What people do is in the history, by their names, and what they say can never become markup. */
async function workOnIt({ page }: HostPage, alert: Row): Promise<void> {
  const history = page.locator('#case-history .row')
  await history.filter({ hasText: 'status: open → in progress' }).waitFor()
  await history.filter({ hasText: /assignee: (.* → )?Asha, administrator/ }).waitFor()
  expect(await history.first().textContent()).toContain('Asha, administrator')
  const hostile = '<img src=x onerror="alert(1)"> the fan is off'
  await page.locator('#comment-text').fill(hostile)
  await page.locator('#comment-form button').click()
  await page.locator('#case-comments .row', { hasText: hostile }).waitFor()
  expect(await page.locator('#case-comments img').count()).toBe(0)
  await page.locator('#case-resolve').click()
  await history.filter({ hasText: 'status: in progress → resolved' }).waitFor()
  const over = page.locator('#over-list [data-type=over_temperature]')
  await over.first().waitFor({ timeout: patience.timeoutMs })
  await page.locator(`#alert-list [data-alert="${alert.id}"]`).waitFor({ state: 'detached' })
}

/** The simulator can cause all that readings and silence can. */
async function causeEachKind(app: HostApp): Promise<void> {
  const headers = await signInAs(app.url, 'admin')
  const volt = await openDatabase(app)
  const isMissing = async (kind: TroubleKind) => !(await volt.alerts.exists({ type: kind }))
  const cause = async (kind: TroubleKind) => {
    const caused = async () => {
      const body = JSON.stringify({ kind })
      await fetch(`${app.url}/api/incidents/cause`, { method: 'POST', body, headers })
      const noticed = async () => !(await isMissing(kind))
      return eventually(`${kind} is noticed`, noticed, { timeoutMs: 75_000, everyMs: 1_000 })
    }
    if (await isMissing(kind)) await eventually(`${kind} is caused`, caused, patience)
  }
  // Beside each other, but one after the other where they happen to the same meter.
  const laneOf = (kind: TroubleKind) => loadOfTrouble[kind] ?? kind
  const inTurn = async (lane: string) => {
    for (const kind of troubleKinds.filter((one) => laneOf(one) === lane)) await cause(kind)
  }
  await Promise.all([...new Set(troubleKinds.map(laneOf))].map(inTurn))
}

/** Each sees and changes what is of their rooms. */
async function refuseOthers(app: HostApp): Promise<void> {
  const ask = async (role: SeededRole, path: string, body?: object, extra: Record<string, string> = {}) => {
    const headers = { ...(await signInAs(app.url, role)), ...extra }
    const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    return fetch(`${app.url}/api/${path}`, { ...request, headers })
  }
  const { cases } = await app.get<Desk>('incidents')
  const rooms = ['Physics lab', 'Computer lab']
  const theirs = (await (await ask('faculty', 'incidents')).json()) as Desk
  for (const { room } of [...theirs.alerts, ...theirs.over, ...theirs.cases]) expect(rooms).toContain(room)
  const foreign = cases.find(({ room }) => room !== null && !rooms.includes(room))
  expect((await ask('admin', `incidents/case?id=${foreign?.id}`)).status).toBe(200)
  expect((await ask('faculty', `incidents/case?id=${foreign?.id}`)).status).toBe(404)
  expect((await ask('faculty', 'incidents/take', { id: foreign?.id })).status).toBe(404)
  expect((await ask('faculty', 'incidents/comment', { id: foreign?.id, text: 'Hello' })).status).toBe(404)
  expect((await ask('faculty', 'incidents/cause', { kind: 'idle_use' })).status).toBe(403)
  for (const role of ['student', 'user'] as const) {
    expect((await ask(role, 'incidents')).status, role).toBe(404)
    expect((await ask(role, `incidents/case?id=${foreign?.id}`)).status, role).toBe(404)
  }
  expect((await fetch(`${app.url}/api/incidents`)).status).toBe(401)
  const elsewhere = { origin: 'http://example.org' }
  expect((await ask('admin', 'incidents/take', { id: foreign?.id }, elsewhere)).status).toBe(403)
}

async function openDatabase({ mongodUri }: HostApp): Promise<AutoVolt> {
  const volt = await AutoVolt.open({ uri: mongodUri, dbName: 'autovolt' })
  cleanUpLater(() => volt.close())
  return volt
}
