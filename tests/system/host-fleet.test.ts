import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { planSchool } from '../../examples/host/simulator/school-plan.js'
import { AutoVolt } from '../../src/autovolt.js'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import {
  findNoBarriers,
  type HostApp,
  type HostPage,
  openPage,
  signInAs,
  startBrowser,
  startHostApp,
} from './support/host-app.js'

const seed = 4_712
const school = planSchool(seed)
/** Devices of the school are away for minutes, as real ones are. */
const patience = { timeoutMs: 240_000, everyMs: 500 }

interface CommandView {
  readonly id: string
  readonly names: { readonly device: string; readonly switch: string }
  readonly command: string
  readonly status: string
  readonly reason: string | null
  readonly detail: string | null
  readonly latencyMs: number | null
  readonly source: string | null
  readonly by: string | null
}

it('shows devices at work: by kind, their commands, schedules and firmware, and a bell', async () => {
  const app = await startHostApp({ SEED: String(seed) })
  const host = await openPage(await startBrowser(), app.url)
  await host.page.locator('#device-list > li').first().waitFor()
  await chooseKinds(host)
  await refuseAndRing(app, host)
  await openOne(app, host)
  await schedule(app, host)
  await haltRollout(app, host)
  await findNoBarriers(host)
  // The cron expression that is none.
  expect(host.complaints).toEqual([expect.stringContaining('status of 400')])
  expect(await app.child.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(app.child.output).not.toContain('did not end in order')
})

const shown = (page: Page) => page.locator('#device-list > li').count()

async function chooseKinds({ page }: HostPage): Promise<void> {
  await page.locator('#kinds [data-kind=smart_meter]').click()
  expect(await shown(page)).toBe(1)
  expect(await page.locator('#device-list h3').textContent()).toBe('Computer lab desks')
  await page.locator('#kinds [data-kind=solar_inverter]').click()
  expect(await page.locator('#device-list h3').textContent()).toBe('Roof panels')
  await page.locator('#kinds [data-kind=all]').click()
  expect(await shown(page)).toBe(school.devices.length)
}

/** A projector that is still hot refuses: the page says why, and the bell rings. */
async function refuseAndRing(app: HostApp, { page, text }: HostPage): Promise<void> {
  const pill = page.locator('.device', { hasText: 'Auditorium' }).locator('button', { hasText: 'Projector' })
  const refused = async () => {
    await pill.click({ timeout: 2_000 })
    const ours = await eventually('the command has ended', async () => {
      const [last] = (await app.get<CommandView[]>('commands')).filter(
        ({ by, names }) => by?.startsWith('Asha') && names.switch === 'Projector',
      )
      return last !== undefined && !['queued', 'sent', 'acknowledged'].includes(last.status) ? last : undefined
    })
    return ours.status === 'failed' && ours.reason === 'refused' ? ours : undefined
  }
  const { id, detail } = await eventually('the projector is still hot', refused, patience)
  expect(detail).toBe('the projector is cooling down')
  const row = page.locator(`#command-list [data-id="${id}"]`)
  await row.locator('.state', { hasText: 'failed' }).waitFor()
  expect(await row.textContent()).toContain('refused: the projector is cooling down')

  await eventually('the bell rings', async () => Number(await text('#bell-count')) > 0)
  await page.locator('#bell').click()
  await page.locator('#bell-items', { hasText: 'Auditorium did not turn on' }).waitFor()
  await page.locator('#bell-read').click()
  await eventually('all are read', async () => (await text('#bell-count')) === '0')
  await page.locator('#bell').click()
}

/** The page of a device has all of it, and follows what happens. */
async function openOne(app: HostApp, { page, text }: HostPage): Promise<void> {
  await page.locator('#device-list button.link', { hasText: 'Auditorium' }).click()
  await page.locator('#device').waitFor()
  expect(await text('#device-title')).toBe('Auditorium')
  expect(await text('#device-note')).toContain('firmware 2.1.0')
  await page.locator('#device-facts dd').first().waitFor()
  await page.locator('#device-history .row').first().waitFor()
  await page.locator('#device-log .row', { hasText: 'connected' }).first().waitFor()
  const light = page.locator('.device', { hasText: 'Auditorium' }).locator('button', { hasText: 'Light 1' })
  const answered = async () => {
    await light.click({ timeout: 2_000 })
    const done = async () => {
      const all = await app.get<CommandView[]>('commands')
      const last = all.find(({ by, names }) => by?.startsWith('Asha') && names.switch === 'Light 1')
      return last !== undefined && last.status === 'succeeded' ? last : undefined
    }
    return eventually('the light answers', done)
  }
  const { id, latencyMs } = await eventually('the light does what it is commanded', answered, patience)
  const row = page.locator(`#device-commands [data-id="${id}"]`)
  await row.locator('.state', { hasText: 'succeeded' }).waitFor()
  const latency = new Intl.NumberFormat('en').format(Math.round(latencyMs ?? 0))
  expect(await row.textContent()).toContain(`${latency} ms, shown by its answer`)
  const succeeded = /turn (on|off): [1-9]\d* succeeded/
  await eventually('it is counted', async () => succeeded.test(await text('#device-statistics')))
}

/** The editor shows the next runs of what it is about to create; a run becomes commands. */
async function schedule(app: HostApp, { page }: HostPage): Promise<void> {
  const auditorium = (await app.get<{ id: string; name: string }[]>('devices')).find(
    ({ name }) => name === 'Auditorium',
  )
  await page.locator('#schedule-name').fill('Each minute')
  await page.locator('#schedule-target').selectOption(`device ${auditorium?.id}`)
  await page.locator('#schedule-type').selectOption('cron')
  await page.locator('#schedule-cron').fill('every day')
  await page.locator('#schedule-preview').click()
  await page.locator('.toast', { hasText: 'cron' }).waitFor()
  await page.locator('#schedule-cron').fill('* * * * *')
  await page.locator('#schedule-preview').click()
  await page.locator('#schedule-runs time').nth(4).waitFor()
  const times = await page
    .locator('#schedule-runs time')
    .evaluateAll((nodes) => nodes.map((node) => Date.parse(node.getAttribute('datetime') ?? '')))
  expect(times.map((time, at) => time - (times[0] ?? 0) - at * 60_000)).toEqual([0, 0, 0, 0, 0])
  await page.locator('#schedule-create').click()
  const row = page.locator('#schedule-list .row', { hasText: 'Each minute: Auditorium off' })
  await row.waitFor()
  expect(await row.textContent()).toMatch(/next \w+/)

  const volt = await AutoVolt.open({ uri: app.mongodUri, dbName: 'autovolt' })
  cleanUpLater(() => volt.close())
  const scheduled = () => volt.commands.find({ device: auditorium?.id ?? '', 'requester.source': 'schedule' })
  await eventually('a run is due', async () => (await scheduled()).length >= 5, patience)
  const relays = new Set((await scheduled()).map(({ gpio }) => gpio))
  expect(relays.size).toBe(5)
  await page.locator('#device-schedules .row', { hasText: 'Each minute' }).waitFor()
  await row.locator('button', { hasText: 'Disable' }).click()
  await row.locator('.state', { hasText: 'disabled' }).waitFor()
  await row.locator('button', { hasText: 'Remove' }).click()
  await row.waitFor({ state: 'detached' })
}

/** Three of five devices have too little memory: at the second that says so it goes no further. */
async function haltRollout(app: HostApp, { page, text }: HostPage): Promise<void> {
  await page.locator('#rollout-hungry').click()
  const rollout = page.locator('.rollout', { hasText: '2.2.0' })
  await rollout.waitFor()
  await eventually('it halts', async () => (await rollout.getAttribute('data-state')) === 'halted', patience)
  expect(await rollout.locator('.note').textContent()).toMatch(/[2-4] of \d devices failed/)
  const failed = rollout.locator('.installs [data-state=failed]')
  expect(await failed.count()).toBeGreaterThanOrEqual(2)
  expect(await failed.first().textContent()).toContain('2.2.0 needs 170000 bytes of memory, and there are 143000')
  await eventually('the bell rings', async () => Number(await text('#bell-count')) > 0)

  await page.locator('#rollout-good').click()
  const good = page.locator('.rollout', { hasText: '2.2.1' })
  // The first device that is to have it may be away when its turn comes.
  await good
    .locator('.installs [data-state=succeeded]')
    .first()
    .waitFor({ timeout: 2 * patience.timeoutMs })
  const updated = async () => {
    const devices = await app.get<{ firmware: string | null }[]>('devices')
    return devices.some(({ firmware }) => firmware === '2.2.1')
  }
  await eventually('a device runs it', updated, patience)
}

it('lets people toggle, schedule and roll out what is theirs', async () => {
  const app = await startHostApp({ SEED: String(seed) })
  const devices = await app.get<{ id: string; room: string; switches: { id: string; type: string }[] }[]>('devices')
  const relayIn = (room: string) =>
    devices.filter((one) => one.room === room).flatMap((one) => one.switches.filter(({ type }) => type !== 'meter'))[0]
  const post = async (role: 'admin' | 'faculty' | 'student', path: string, body: object) => {
    const headers = await signInAs(app.url, role)
    return (await fetch(`${app.url}/api/${path}`, { method: 'POST', body: JSON.stringify(body), headers })).status
  }
  const draft = (room: string) => ({
    name: 'Morning',
    target: { kind: 'switch', id: relayIn(room)?.id },
    rule: { type: 'time', at: '08:00' },
    command: 'turn_on',
  })
  expect(await post('faculty', 'schedules/create', draft('Physics lab'))).toBe(200)
  expect(await post('faculty', 'schedules/preview', draft('Library'))).toBe(404)
  expect(await post('student', 'schedules/create', draft('Physics lab'))).toBe(403)
  expect(await post('admin', 'schedules/create', { ...draft('Library'), rule: { type: 'never' } })).toBe(400)
  for (const role of ['faculty', 'student'] as const)
    expect(await post(role, 'rollouts/start', { kind: 'good' })).toBe(403)

  const [schedule] = await app.get<{ id: string }[]>('schedules')
  expect(await post('student', 'schedules/remove', { id: schedule?.id })).toBe(403)
  expect(await post('faculty', 'schedules/enable', { id: schedule?.id, enabled: false })).toBe(200)

  const headers = await signInAs(app.url, 'student')
  const pageOf = async (room: string) => {
    const id = devices.find((one) => one.room === room)?.id
    return (await fetch(`${app.url}/api/device?id=${id}`, { headers })).status
  }
  expect(await pageOf('Physics lab')).toBe(200)
  expect(await pageOf('Library')).toBe(404)

  const { page, complaints } = await openPage(await startBrowser(), app.url, 'student')
  await page.locator('#device-list > li').first().waitFor()
  expect(await page.locator('#rollouts').isVisible()).toBe(false)
  expect(await page.locator('#schedule-form').isVisible()).toBe(false)
  expect(await page.locator('#schedule-list .row').count()).toBe(1)
  expect(await page.locator('#schedule-list button').first().isVisible()).toBe(false)
  expect(complaints).toEqual([])
})
