import { byId, element, KeyedList, setAttribute, setText } from './dom.js'
import { day, duration, kilowattHours, money, timeOfDay, watts } from './format.js'
import { colourAt, paint } from './palette.js'

const list = new KeyedList(byId('room-rows'), ({ room }) => room.id, createRow)
let rooms = []
let sample = null

export function showRooms(news) {
  rooms = news
  const zones = [...new Set(rooms.map(({ timeZone }) => timeZone))]
  if (rooms[0] !== undefined) setText(byId('rooms-day'), `${day(rooms[0].day)}, ${zones.join(', ')}`)
  draw()
}

/** Shows the power at a time; `isPast` if the pointer is on it in the chart. */
export function showPower(news, isPast) {
  sample = news
  setText(byId('power-column'), isPast ? timeOfDay(news.at) : 'now')
  draw()
}

function draw() {
  list.sync(rooms.map((room, index) => ({ room, index, power: sample?.watts[room.id] ?? null })))
  drawTotal()
}

function drawTotal() {
  const sum = (pick) => rooms.reduce((total, room) => total + pick(room), 0)
  const currencies = [...new Set(rooms.map(({ currency }) => currency).filter((currency) => currency !== null))]
  const cost =
    currencies.length === 1
      ? money(
          sum(({ cost }) => cost),
          currencies[0],
        )
      : '–'
  const power = sample === null ? null : Object.values(sample.watts).reduce((total, value) => total + value, 0)
  const produced = sum(({ productionKwh }) => productionKwh)
  const row = element(
    'tr',
    {},
    element('td', {}, 'All'),
    element('td', {}, watts(power)),
    element('td', { title: `${kilowattHours(produced)} produced` }, kilowattHours(sum(({ energyKwh }) => energyKwh))),
    element('td', {}, cost),
  )
  byId('room-total').replaceChildren(row)
}

function createRow({ room, index }) {
  const swatch = element('span', { class: 'swatch' })
  paint(swatch, colourAt(index))
  const name = element('td', { title: room.name }, swatch, room.name)
  const quality = element('span', { class: 'quality' })
  const energy = element('span')
  const cells = { power: element('td'), energy: element('td', {}, energy, quality), cost: element('td') }
  return {
    node: element('tr', {}, name, cells.power, cells.energy, cells.cost),
    update: (row) => {
      setText(cells.power, watts(row.power))
      showEnergy(row.room, energy, quality)
      setAttribute(cells.energy, 'title', qualityOf(row.room))
      setText(cells.cost, money(row.room.cost, row.room.currency))
    },
  }
}

function showEnergy({ energyKwh, productionKwh, confidence }, energy, quality) {
  const produces = productionKwh > energyKwh
  setText(energy, produces ? `+ ${kilowattHours(productionKwh)}` : kilowattHours(energyKwh))
  energy.className = produces ? 'produced' : ''
  quality.hidden = confidence === null || confidence === 'high'
  setText(quality, confidence ?? '')
}

function qualityOf({ measuredSeconds, estimatedSeconds, missingSeconds, productionKwh }) {
  const seconds = `measured ${duration(measuredSeconds)}, estimated ${duration(estimatedSeconds)}, missing ${duration(missingSeconds)}`
  return productionKwh > 0 ? `${kilowattHours(productionKwh)} produced; ${seconds}` : seconds
}
