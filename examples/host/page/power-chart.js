import uPlot from '/vendor/uplot.js'
import { timeOfDay, watts } from './format.js'
import { colourAt, themeColour } from './palette.js'
import { PowerSeries } from './power-series.js'

/** The chart of each room's power. `onLook(sample)` is told what the pointer is at, or null when it has left. */
export class PowerChart {
  series = new PowerSeries()
  #target
  #onLook
  #rooms = []
  #layout = ''
  #chart = null

  constructor(target, onLook) {
    this.#target = target
    this.#onLook = onLook
    new ResizeObserver(() => this.#chart?.setSize(this.#size())).observe(target)
    // A canvas does not follow the style sheet by itself.
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#rebuild())
  }

  setRooms(rooms) {
    const layout = rooms.map(({ id }) => id).join()
    if (layout === this.#rooms.map(({ id }) => id).join()) return
    this.#rooms = rooms
    this.series.setRooms(rooms)
    this.#rebuild()
  }

  draw() {
    if (this.#rooms.length === 0 || this.series.last === undefined) return
    const { columns, below } = this.series.stacked()
    // Which room stands on which changes only when one begins to produce.
    if (this.#chart === null || this.#layout !== String(below)) this.#create(columns, below)
    else this.#chart.setData(columns)
  }

  #rebuild() {
    this.#layout = ''
    this.draw()
  }

  #create(columns, below) {
    this.#layout = String(below)
    this.#chart?.destroy()
    const bands = below.flatMap((lower, index) => (lower === null ? [] : [{ series: [index + 1, lower] }]))
    const options = {
      ...this.#size(),
      bands,
      padding: [10, 12, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: {
        x: { range: () => this.series.range() },
        y: { range: (_, low, high) => [low < 0 ? low * 1.1 : 0, Math.max(high, 100) * 1.08] },
      },
      axes: [
        { ...axis(), space: 80, size: 30, values: (_, ticks) => ticks.map((seconds) => timeOfDay(seconds * 1000)) },
        { ...axis(), size: 70, values: (_, ticks) => ticks.map(watts) },
      ],
      series: [{}, ...this.#rooms.map((room, index) => area(room, index))],
      hooks: { setCursor: [({ cursor }) => this.#onLook(this.series.at(cursor.idx ?? -1) ?? null)] },
    }
    this.#chart = new uPlot(options, columns, this.#target)
  }

  #size() {
    return { width: Math.max(this.#target.clientWidth, 200), height: this.#target.clientHeight }
  }
}

function axis() {
  return {
    stroke: themeColour('muted'),
    font: '12px system-ui, sans-serif',
    grid: { stroke: themeColour('line'), width: 1 },
    ticks: { stroke: themeColour('line'), width: 1, size: 4 },
  }
}

/** Power holds until the next reading, so it is drawn in steps. */
function area(room, index) {
  const colour = colourAt(index)
  return {
    label: room.name,
    stroke: colour,
    fill: `${colour}bb`,
    width: 1,
    points: { show: false },
    paths: uPlot.paths.stepped({ align: 1 }),
  }
}
