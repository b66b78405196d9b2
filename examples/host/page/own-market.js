import { get, onPress, post } from './api.js'
import { byId, element, KeyedList, setAttribute, setText } from './dom.js'
import { exactKwh, timeOfDay } from './format.js'
import { setState } from './mood.js'
import { soon } from './soon.js'
import { toast } from './toast.js'

/** The same until the host has said that the order is there: asking again is no second order. */
let key = crypto.randomUUID?.() ?? `${Date.now()} ${Math.random()}`

const orders = new KeyedList(byId('order-list'), ({ id }) => id, createOrder)

/** Something has changed in the market: what is one's own is read again soon, once for many changes. */
export const refreshOwn = soon(read)

export function beginOwn() {
  byId('order-form').addEventListener('submit', async (event) => {
    event.preventDefault()
    const button = byId('order-place')
    button.disabled = true
    const answer = await post('neighbourhood/order', {
      side: byId('order-side').value,
      energyKwh: byId('order-energy').value,
      pricePerKwh: byId('order-price').value,
      quarters: Number(byId('order-quarters').value),
      key,
    })
    button.disabled = false
    if (answer === undefined) return
    key = crypto.randomUUID?.() ?? `${Date.now()} ${Math.random()}`
    toast('The order is placed.')
    refreshOwn()
  })
}

async function read() {
  const own = await get('neighbourhood/own')
  if (own === undefined) return
  byId('own-none').hidden = own.isTrader
  byId('order-form').hidden = !own.isTrader
  byId('orders-none').hidden = !own.isTrader || own.orders.length > 0
  byId('own-facts').replaceChildren(...(own.balance === null ? [] : factsOf(own).map(factOf)))
  orders.sync(own.orders)
}

function factsOf({ balance, report }) {
  return [
    ['balance', rupees(balance.balance)],
    ['reserved', rupees(balance.reserved)],
    ['to spend', rupees(balance.available)],
    ['sold, 24 h', exactKwh(report.soldKwh)],
    ['bought, 24 h', exactKwh(report.boughtKwh)],
    ['CO₂ avoided', `${Number(report.avoidedCo2Kg).toFixed(2)} kg`],
  ]
}

function factOf([name, value]) {
  return element('div', { 'data-fact': name }, element('dt', {}, name), element('dd', {}, value))
}

function createOrder({ id, side, energyKwh, pricePerKwh, from, until }) {
  const [state, note] = [element('b', { class: 'state' }), element('span', { class: 'note' })]
  const cancel = element(
    'button',
    { type: 'button', 'aria-label': `Take it back: ${side} ${exactKwh(energyKwh)}` },
    'Take it back',
  )
  onPress(cancel, async () => {
    if ((await post('neighbourhood/cancel', { order: id })) !== undefined) refreshOwn()
  })
  const node = element(
    'li',
    { class: 'row', 'data-order': id },
    state,
    element('span', {}, `${side} ${exactKwh(energyKwh)} at ₹${Number(pricePerKwh).toFixed(2)}`),
    element('span', { class: 'row-actions' }, cancel),
    note,
  )
  return {
    node,
    update: ({ status, filledKwh, isOpen, reason }) => {
      setState(node, status)
      setAttribute(node, 'data-status', status)
      setText(state, status)
      cancel.hidden = !isOpen
      const time = `${timeOfDay(from).slice(0, 5)} to ${timeOfDay(until).slice(0, 5)}`
      setText(note, [`${exactKwh(filledKwh)} matched`, time, reason?.replaceAll('_', ' ')].filter(Boolean).join(' · '))
    },
  }
}

function rupees(text) {
  return `₹${Number(text).toFixed(2)}`
}
