import type { FeedNews } from './live-feeds.js'
import type { Visitor } from './visitors.js'

interface Visible {
  readonly userId: string
  readonly isOperator: boolean
  readonly rooms: ReadonlySet<string>
  readonly devices: ReadonlySet<string>
  readonly switches: ReadonlySet<string>
  readonly mayControl: ReadonlySet<string>
  readonly maySeeIncidents: boolean
  readonly maySeeMarket: boolean
}

const none: ReadonlySet<string> = new Set()
/** They see everything as it is. */
const ofOperators: Visible = {
  userId: '',
  isOperator: true,
  rooms: none,
  devices: none,
  switches: none,
  mayControl: none,
  maySeeIncidents: true,
  maySeeMarket: true,
}
/** Their session was ended meanwhile, maybe from another page. */
const ofNobody: Visible = { ...ofOperators, isOperator: false, maySeeIncidents: false, maySeeMarket: false }

const freshForMs = 1_000

type Row = Readonly<Record<string, unknown>>
type Filters = Readonly<Record<string, (value: never, visible: Visible) => unknown>>

const watts = ({ at, watts }: { at: number; watts: Readonly<Record<string, number>> }, { rooms }: Visible) => ({
  at,
  watts: Object.fromEntries(Object.entries(watts).filter(([room]) => rooms.has(room))),
})

/** What those see who do not run the school, by feed. The other feeds are not for them. */
const filters: Filters = {
  problem: (problem: unknown) => problem,
  bell: (bell: unknown) => bell,
  power: watts,
  history: (samples: Parameters<typeof watts>[0][], visible) => samples.map((sample) => watts(sample, visible)),
  classrooms: (rows: Row[], { rooms }) => rows.filter(({ id }) => rooms.has(String(id))),
  devices: (rows: Row[], { devices, mayControl }) =>
    rows
      .filter(({ id }) => devices.has(String(id)))
      .map((row) => ({ ...row, mayControl: mayControl.has(String(row.id)) })),
  commands: (rows: Row[], { devices }) => rows.filter(({ deviceId }) => devices.has(String(deviceId))),
  schedules: (rows: Row[], { rooms, userId }) =>
    rows.filter(({ classroom, owner }) => rooms.has(String(classroom)) || owner === userId),
  incidents: (desk: Readonly<Record<'alerts' | 'over' | 'cases', Row[]>>, { rooms, userId, maySeeIncidents }) => {
    if (!maySeeIncidents) return undefined
    const ofTheirs = ({ classroom, assigneeId }: Row) => rooms.has(String(classroom)) || assigneeId === userId
    return Object.fromEntries(Object.entries(desk).map(([name, rows]) => [name, rows.filter(ofTheirs)]))
  },
  neighbourhood: (market: unknown, { maySeeMarket }) => (maySeeMarket ? market : undefined),
  events: (rows: Row[], { switches }) => rows.filter(({ switchId }) => switches.has(String(switchId))),
}

/** Shows one visitor of what all feeds have what the visitor may see. */
export class VisibleNews {
  readonly #visitor: Visitor
  #visible: Promise<Visible> | undefined
  #readAtMs = 0

  constructor(visitor: Visitor) {
    this.#visitor = visitor
  }

  /** Whether the visitor runs the school: may call for reports, and so for all that the page can do. */
  async isOperator(): Promise<boolean> {
    return (await this.#present()).isOperator
  }

  /** The pages beside the first one that are for the visitor. */
  async pages(): Promise<{ readonly incidents: boolean; readonly neighbourhood: boolean }> {
    const { maySeeIncidents, maySeeMarket } = await this.#present()
    return { incidents: maySeeIncidents, neighbourhood: maySeeMarket }
  }

  /** @returns undefined for what is not for this visitor. */
  async of({ name, json }: FeedNews): Promise<FeedNews | undefined> {
    const visible = await this.#present()
    if (visible.isOperator) return { name, json }
    const filter = Object.hasOwn(filters, name) ? filters[name] : undefined
    if (filter === undefined) return undefined
    const value: unknown = JSON.parse(json)
    const shown = value === null ? null : filter(value as never, visible)
    return shown === undefined ? undefined : { name, json: JSON.stringify(shown) }
  }

  #present(): Promise<Visible> {
    const now = performance.now()
    if (this.#visible === undefined || now - this.#readAtMs > freshForMs) {
      this.#readAtMs = now
      // Who asks for the first time has just been found by the session.
      this.#visible = this.#visible === undefined ? this.#read() : this.#readAgain()
    }
    return this.#visible
  }

  async #readAgain(): Promise<Visible> {
    return (await this.#visitor.isSignedIn()) ? this.#read() : ofNobody
  }

  async #read(): Promise<Visible> {
    const { volt } = this.#visitor
    if (await volt.may('use', 'analytics')) return ofOperators
    const rooms = await volt.classrooms.find({}, { select: ['name'], limit: 1_000 })
    const devices = await volt.devices.find({}, { select: ['switches'], limit: 200 })
    const mayControl = await Promise.all(
      devices.map(async ({ _id }) => ((await volt.may('control', 'devices', _id)) ? [String(_id)] : [])),
    )
    return {
      userId: this.#visitor.id,
      isOperator: false,
      rooms: new Set(rooms.map(({ _id }) => String(_id))),
      devices: new Set(devices.map(({ _id }) => String(_id))),
      switches: new Set(devices.flatMap(({ switches }) => switches.map(({ _id }) => String(_id)))),
      mayControl: new Set(mayControl.flat()),
      maySeeIncidents: await volt.may('read', 'alerts'),
      maySeeMarket: await volt.may('use', 'market'),
    }
  }
}
