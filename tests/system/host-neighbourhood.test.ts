import { expect, it } from 'vitest'
import { households } from '../../examples/host/neighbourhood/households.js'
import { AutoVolt } from '../../src/autovolt.js'
import { where } from '../../src/index.js'
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

const seed = 4_714
const patience = { timeoutMs: 240_000, everyMs: 1_000 }
const narrow = { width: 360, height: 740 }
const [kiran] = households

interface Market {
  readonly households: readonly Record<'id' | 'name' | 'soldKwh' | 'deliveredKwh' | 'shortKwh', string>[]
  readonly book: { readonly bids: readonly object[]; readonly asks: readonly object[] }
  readonly trades: readonly { readonly id: string; readonly deliveredKwh: string | null }[]
}

it('shows the neighbours, their orders and trades, who has delivered, and each their own balance', async () => {
  const app = await startHostApp({ SEED: String(seed) })
  const browser = await startBrowser()
  const host = await openPage(browser, app.url, 'user')
  const volt = await AutoVolt.open({ uri: app.mongodUri, dbName: 'autovolt' })
  cleanUpLater(() => volt.close())
  await showTheNeighbours(app, host)
  await showDeliveries(app, host, volt)
  await buy(host, volt)
  await takeBack(host)
  await showOwnAlone(app, volt)
  await findNoBarriers(host)
  expect(host.complaints).toEqual([])

  const phone = await openPage(browser, app.url, 'user', 'phone')
  await phone.page.setViewportSize(narrow)
  await phone.page.locator('#order-list > li').first().waitFor()
  await findNothingTooSmall(phone.page, narrow.width)

  const [area] = await volt.market.areas.find({})
  expect(await volt.market.verify(area!._id)).toMatchObject({ isValid: true })
  expect(await app.child.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(app.child.output).not.toContain('did not end in order')
})

/** They are there from the start, with hours of trades behind them, and go on. */
async function showTheNeighbours(app: HostApp, { page }: HostPage): Promise<void> {
  await page
    .locator('#household-list > li')
    .nth(households.length - 1)
    .waitFor()
  expect(await page.locator('#map .house').count()).toBe(households.length)
  expect(await page.locator('#household-list [data-self]').textContent()).toContain(`${kiran!.name} (you)`)
  await page.locator('#book-rows [data-side=buy]').first().waitFor()
  await page.locator('#book-rows [data-side=sell]').first().waitFor()
  expect(await page.locator('#book-none').isVisible()).toBe(false)
  const [first] = (await app.get<Market>('neighbourhood')).trades
  await page.locator('#trade-list > li').first().waitFor()
  const another = async () => (await app.get<Market>('neighbourhood')).trades[0]?.id !== first?.id
  await eventually('the neighbours go on', another, patience)
}

/** What was delivered is what the library has settled, and what is short is the rest. */
async function showDeliveries(app: HostApp, { page }: HostPage, volt: AutoVolt): Promise<void> {
  await page.locator('#delivery-list > li').first().waitFor({ timeout: patience.timeoutMs })
  const market = await app.get<Market>('neighbourhood')
  const sellers = market.households.filter(({ soldKwh }) => Number(soldKwh) > 0)
  expect(sellers.length).toBeGreaterThan(0)
  for (const { soldKwh, deliveredKwh, shortKwh } of sellers) {
    expect(Number(deliveredKwh) + Number(shortKwh)).toBeCloseTo(Number(soldKwh), 6)
    expect(Number(shortKwh)).toBeGreaterThanOrEqual(0)
  }
  expect(sellers.some(({ deliveredKwh }) => Number(deliveredKwh) > 0)).toBe(true)
  // Who is short depends on the clouds of the hours before.
  for (const { name, shortKwh } of sellers) {
    const row = page.locator('.delivery', { hasText: name })
    if (Number(shortKwh) > 0) await row.locator('.state', { hasText: 'short' }).waitFor()
  }
  const settled = market.trades.find(({ deliveredKwh }) => deliveredKwh !== null)
  if (settled === undefined) return
  const [settlement] = await volt.market.settlements.find({ trade: settled.id }, { sort: { revision: -1 } })
  expect(settlement?.deliveredKwh.toString()).toBe(settled.deliveredKwh)
}

/** An order that pays well is matched by those who sell, and shows as a trade on the open page. */
async function buy({ page, text }: HostPage, volt: AutoVolt): Promise<void> {
  await page.locator('#own-facts [data-fact=balance]').waitFor()
  const user = await volt.users.findByEmail(kiran!.email)
  const [balance] = await volt.market.balances(user!._id)
  await eventually('the balance is the one of the account', async () => {
    const shown = `₹${Number(balance!.balance).toFixed(2)}`
    return (await text('#own-facts [data-fact=balance] dd')) === shown
  })
  await page.locator('#order-side').selectOption('buy')
  await page.locator('#order-energy').fill('0.04')
  await page.locator('#order-price').fill('9')
  await page.locator('#order-quarters').selectOption('8')
  await page.locator('#order-place').click()
  const row = page.locator('#order-list [data-order]', { hasText: 'buy 0.040 kWh at ₹9.00' })
  await row.waitFor()
  await eventually('it is matched', async () => (await row.getAttribute('data-status')) === 'completed', patience)
  const order = (await row.getAttribute('data-order')) ?? ''
  const trades = await volt.market.tradesOf(order)
  expect(trades.length).toBeGreaterThan(0)
  for (const trade of trades) {
    expect(Number(trade.pricePerKwh)).toBeLessThanOrEqual(9)
    const shown = page.locator(`#trade-list [data-trade="${trade._id.toHexString()}"]`)
    await shown.waitFor()
    expect(await shown.textContent()).toContain(`→ ${kiran!.name}`)
  }
}

async function takeBack({ page }: HostPage): Promise<void> {
  await page.locator('#order-side').selectOption('sell')
  await page.locator('#order-energy').fill('0.01')
  await page.locator('#order-price').fill('80')
  await page.locator('#order-place').click()
  const row = page.locator('#order-list [data-order]', { hasText: 'sell 0.010 kWh at ₹80.00' })
  await row.locator('button').click()
  await page.locator('[data-status=cancelled]', { hasText: '₹80.00' }).waitFor()
}

/** Nobody sees what another has; who is no neighbour trades nothing. */
async function showOwnAlone(app: HostApp, volt: AutoVolt): Promise<void> {
  const ask = async (role: SeededRole, path: string, body?: object, extra: Record<string, string> = {}) => {
    const headers = { ...(await signInAs(app.url, role)), ...extra }
    const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    return fetch(`${app.url}/api/${path}`, { ...request, headers })
  }
  const user = await volt.users.findByEmail(kiran!.email)
  const own = (await (await ask('user', 'neighbourhood/own')).json()) as { orders: { id: string }[] }
  for (const { id } of own.orders) expect((await volt.market.orders.get(id)).user).toEqual(user!._id)
  const ofAdmin = await (await ask('admin', 'neighbourhood/own')).json()
  expect(ofAdmin).toMatchObject({ isTrader: false, balance: null, orders: [] })
  expect(JSON.stringify(await app.get('neighbourhood'))).not.toContain('balance')

  const order = { side: 'buy', energyKwh: '1', pricePerKwh: '5', quarters: 2, key: 'not a neighbour' }
  expect((await ask('admin', 'neighbourhood/order', order)).status).toBe(400)
  for (const role of ['student', 'faculty'] as const) {
    expect((await ask(role, 'neighbourhood')).status, role).toBe(404)
    expect((await ask(role, 'neighbourhood/own')).status, role).toBe(403)
    expect((await ask(role, 'neighbourhood/order', order)).status, role).toBe(403)
  }
  expect((await ask('user', 'neighbourhood/order', { ...order, energyKwh: '-1' })).status).toBe(400)
  const another = await volt.market.orders.findOne({ isOpen: true, side: 'sell', user: where.ne(user!._id) })
  if (another !== null) expect((await ask('user', 'neighbourhood/cancel', { order: another._id })).status).toBe(404)
  expect((await fetch(`${app.url}/api/neighbourhood`)).status).toBe(401)
  const elsewhere = { origin: 'http://example.org' }
  expect((await ask('user', 'neighbourhood/order', order, elsewhere)).status).toBe(403)
}
