import { byId, element, KeyedList, setAttribute, setText } from './dom.js'
import { exactKwh, timeOfDay, watts } from './format.js'
import { setState } from './mood.js'
import { showBook } from './order-book.js'
import { beginOwn, refreshOwn } from './own-market.js'
import { beginPage, listen } from './shell.js'
import { drawVillage } from './village-map.js'

const me = await beginPage(
  byId('market'),
  ({ sees }) => sees.neighbourhood,
  'The market is for the neighbours, and for those who run the school.',
)

const households = new KeyedList(byId('household-list'), ({ id }) => id, createHousehold)
const deliveries = new KeyedList(byId('delivery-list'), ({ id }) => id, createDelivery)
const trades = new KeyedList(byId('trade-list'), ({ id }) => id, createTrade)

const kinds = { roof: 'solar', battery: 'storage', home: 'home' }
const types = { prosumer: 'buys and sells', producer: 'sells', consumer: 'buys' }

function show(market) {
  const { area, book, prices } = market
  setText(
    byId('village-terms'),
    `what is not delivered costs ₹${decimal(area.penaltyPerKwh)}/kWh, the area takes ${percent(area.feeRate)}`,
  )
  drawVillage(byId('map'), market, me.id)
  households.sync(market.households)
  const sellers = market.households.filter(({ soldKwh }) => Number(soldKwh) > 0)
  byId('delivered-none').hidden = sellers.length > 0
  deliveries.sync(sellers)
  showBook(book)
  byId('trades-none').hidden = market.trades.length > 0
  setText(byId('price-note'), priceNote(prices))
  trades.sync(market.trades)
  refreshOwn()
}

function createHousehold({ id, name, type, meters }) {
  const power = element('b')
  const node = element(
    'li',
    { 'data-household': id, 'data-self': id === me.id },
    element('span', {}, element('b', {}, name), id === me.id ? ' (you)' : ''),
    power,
    element('span', { class: 'note' }, `${types[type]} · ${meters.map((kind) => kinds[kind]).join(', ')}`),
  )
  return {
    node,
    update: ({ powerW }) =>
      setText(power, powerW === null ? '–' : `${powerW <= 0 ? 'gives' : 'takes'} ${watts(Math.abs(powerW))}`),
  }
}

function createDelivery({ name }) {
  const [figures, bar] = [element('span'), element('i')]
  const short = element('b', { class: 'state' })
  const node = element(
    'li',
    { class: 'delivery' },
    element('b', {}, name),
    short,
    figures,
    element('span', { class: 'share' }, bar),
  )
  return {
    node,
    update: ({ soldKwh, deliveredKwh, shortKwh }) => {
      const isShort = Number(shortKwh) > 0
      setState(node, isShort ? 'short' : 'delivered')
      setText(short, isShort ? `${exactKwh(shortKwh)} short` : 'all delivered')
      setText(figures, `${exactKwh(deliveredKwh)} of ${exactKwh(soldKwh)}`)
      bar.style.width = `${(100 * Number(deliveredKwh)) / Number(soldKwh)}%`
    },
  }
}

function createTrade({ id, seller, buyer, energyKwh, pricePerKwh, at, deliverFrom, deliverUntil }) {
  const [state, note] = [element('b', { class: 'state' }), element('span', { class: 'note' })]
  const what = `${seller} → ${buyer}: ${exactKwh(energyKwh)} at ₹${decimal(pricePerKwh)}`
  const node = element(
    'li',
    { class: 'row', 'data-trade': id },
    state,
    element('span', {}, what),
    element('time', { datetime: at }, timeOfDay(at)),
    note,
  )
  const delivery = `delivery ${timeOfDay(deliverFrom).slice(0, 5)} to ${timeOfDay(deliverUntil).slice(0, 5)}`
  return {
    node,
    update: ({ deliveredKwh, shortKwh, penalty }) => {
      const [name, more] = outcomeOf(deliveredKwh, shortKwh, penalty)
      setState(node, name)
      setAttribute(node, 'data-outcome', name)
      setText(state, name)
      setText(note, [delivery, more].filter(Boolean).join(' · '))
    },
  }
}

function outcomeOf(deliveredKwh, shortKwh, penalty) {
  if (deliveredKwh === null) return ['to come', null]
  if (Number(shortKwh) === 0) return ['delivered', `all of it`]
  return ['short', `${exactKwh(deliveredKwh)} delivered, ${exactKwh(shortKwh)} short, ₹${decimal(penalty)} for that`]
}

/** The mean of the last hour that has trades. */
function priceNote(prices) {
  const last = prices.at(-1)
  if (last === undefined) return ''
  const count = prices.reduce((sum, { trades: some }) => sum + some, 0)
  return `₹${decimal(last.meanPricePerKwh)}/kWh on average in the last hour; ${count} trades in six hours`
}

function decimal(text) {
  return Number(text).toFixed(2)
}

function percent(text) {
  return `${(100 * Number(text)).toFixed(0)} %`
}

if (me !== null) {
  byId('chip-incidents').hidden = !me.sees.incidents
  beginOwn()
  listen({ neighbourhood: show })
}
