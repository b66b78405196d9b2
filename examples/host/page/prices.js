import { onPress, post } from './api.js'
import { byId, element, setText } from './dom.js'
import { count, day, energy, money, month, pricePerKwh, timeOfDay } from './format.js'

let isFilledIn = false
let changedFrom = ''
let shownEffect = ''

/** What the month costs under either tariff, and what a back-dated price has changed. */
export function showPrices({ month: shown, costs, change, audit }) {
  setText(byId('costs-title'), `What ${month(shown.from)} costs`)
  byId('cost-rows').replaceChildren(...costs.map(costRow))
  setText(byId('costs-energy'), usedOf(costs))
  fillIn(shown, costs)
  byId('price-effect').hidden = change === null
  byId('take-back').hidden = change === null || audit[0]?.action === 'removed'
  if (change !== null) showEffect(change)
  byId('audit-none').hidden = audit.length > 0
  byId('audit').replaceChildren(...audit.map(auditRow))
}

/** What stays is left alone, so that it is read out once. */
function showEffect(change) {
  changedFrom = change.from
  const effect = JSON.stringify(change)
  if (effect !== shownEffect) byId('price-effect').replaceChildren(...effectOf(change))
  shownEffect = effect
}

/** The same under either tariff. */
function usedOf([{ energyKwh, productionKwh, carbonKg }]) {
  return `${energy(energyKwh)} used, ${count(carbonKg)} kg of CO₂; ${energy(productionKwh)} of solar fed in`
}

function costRow({ tariff, isInForce, prices, cost, currency, earnings }) {
  const name = element(
    'td',
    {},
    tariff,
    isInForce ? element('span', { class: 'badge' }, 'in force') : null,
    pricesOf(prices),
  )
  return element(
    'tr',
    { 'data-tariff': tariff },
    name,
    element('td', { class: 'cost' }, money(cost, currency)),
    element('td', {}, money(earnings, currency)),
  )
}

function pricesOf(prices) {
  if (prices === null) return null
  const { usual, peak, night, currency } = prices
  const of = (value) => money(value, currency)
  const text = peak === usual && night === usual ? of(usual) : `${of(peak)} peak, ${of(night)} night, ${of(usual)} else`
  return element('p', { class: 'note' }, `${text}, per kWh`)
}

/** Once: what somebody is about to type stays. */
function fillIn({ from }, costs) {
  const peakPrice = costs.find(({ isInForce }) => isInForce)?.prices?.peak
  if (isFilledIn || peakPrice === undefined) return
  isFilledIn = true
  byId('price-from').value = from
  byId('price-peak').value = String(Math.round(peakPrice * 125) / 100)
}

function effectOf({ from, to, peakPriceBefore, peakPriceAfter, costBefore, costAfter, currency }) {
  const difference = costAfter - costBefore
  const percent = costBefore > 0 ? ` (${signed(((100 * difference) / costBefore).toFixed(1))} %)` : ''
  const rows = [
    ['peak price', pricePerKwh(peakPriceBefore, currency), pricePerKwh(peakPriceAfter, currency)],
    ['cost', money(costBefore, currency), money(costAfter, currency)],
  ]
  return [
    element(
      'p',
      {},
      element('b', {}, `${signed(money(difference, currency))}${percent}`),
      ` for ${day(from)} to ${day(to)}`,
    ),
    element(
      'table',
      { class: 'figures-table' },
      element(
        'thead',
        {},
        element('tr', {}, ...['', 'before', 'after'].map((text) => element('th', { scope: 'col' }, text))),
      ),
      element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map((text) => element('td', {}, text))))),
    ),
  ]
}

function auditRow({ at, action, actor, startsOn, currency, before, after }) {
  const prices = [before, after].map((price) => (price === null ? 'none' : pricePerKwh(price, currency))).join(' → ')
  const time = element('time', { datetime: at }, timeOfDay(at))
  return element(
    'li',
    {},
    time,
    ' ',
    element('b', {}, action),
    ` by ${actor}: version from ${day(startsOn)}, peak price ${prices}`,
  )
}

function signed(text) {
  return text.startsWith('-') ? text.replace('-', '−') : `+${text}`
}

onPress(byId('price-change'), () => {
  return post('energy/price', { from: byId('price-from').value, peakPrice: byId('price-peak').valueAsNumber })
})
onPress(byId('take-back'), () => post('energy/take-back', { from: changedFrom }))
