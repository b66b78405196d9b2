const shownMs = 5 * 60_000
const shortestMs = 20_000
const kept = 450
/** The last sample holds on until the next one comes. */
const holdsMs = 2_000

/** The samples of the last minutes, room by room, and stacked as the chart draws them. */
export class PowerSeries {
  #samples = []
  #rooms = []

  setRooms(rooms) {
    this.#rooms = rooms
  }

  replace(samples) {
    this.#samples = samples.slice(-kept)
  }

  add(sample) {
    this.#samples.push(sample)
    if (this.#samples.length > kept) this.#samples.shift()
  }

  get last() {
    return this.#samples.at(-1)
  }

  /** The sample of a column; undefined if there is none. */
  at(index) {
    return this.#visible()[index]
  }

  /** The time that the chart spans, in seconds: from the first sample on, five minutes at most. */
  range() {
    const end = (this.last?.at ?? Date.now()) + holdsMs
    const first = this.#samples[0]?.at ?? end
    return [Math.min(Math.max(first, end - shownMs), end - shortestMs) / 1000, end / 1000]
  }

  /**
   * What uPlot draws: the rooms that use power stand on each other's shoulders, those that produce hang below zero.
   * @returns the columns, and for each room the column that it stands on, or null.
   */
  stacked() {
    const samples = this.#visible()
    const ground = { up: samples.map(() => 0), down: samples.map(() => 0) }
    const top = { up: null, down: null }
    const columns = [samples.map(({ at }) => at / 1000)]
    columns[0][samples.length - 1] = this.range()[1]
    const below = this.#rooms.map(({ id }, index) => {
      const values = samples.map(({ watts }) => watts[id] ?? 0)
      const side = values.reduce((sum, value) => sum + value, 0) < 0 ? 'down' : 'up'
      ground[side] = ground[side].map((height, at) => height + values[at])
      columns.push(ground[side])
      const standsOn = top[side]
      top[side] = index + 1
      return standsOn
    })
    return { columns, below }
  }

  #visible() {
    const from = (this.last?.at ?? 0) - shownMs
    const visible = this.#samples.filter(({ at }) => at >= from)
    return [...visible, ...visible.slice(-1)]
  }
}
