import type { AutoVolt } from '@autovolt/data'
import type { Ingestion } from '@autovolt/data/mqtt'
import { apiRoutes } from './api-routes.js'
import { hintOnChanges } from './change-hints.js'
import type { FirmwareRollouts } from './firmware-rollouts.js'
import { startWebServer, type WebServer } from './http/server.js'
import { type Feed, LiveFeeds } from './live-feeds.js'
import type { Neighbourhood } from './neighbourhood/register.js'
import { startBackups } from './own-backups.js'
import { PriceChanges } from './price-changes.js'
import type { Resources } from './resources.js'
import type { Settings } from './settings.js'
import type { DevicePlan } from './simulator/plan.js'
import type { Troubles } from './simulator/troubles.js'
import type { SwitchCommands } from './switch-commands.js'
import { Tampering } from './tampering.js'
import type { Terminal } from './terminal.js'
import { readClassrooms } from './views/classrooms.js'
import { readCommands } from './views/commands.js'
import { readDevices } from './views/devices.js'
import { readEnergy } from './views/energy.js'
import { readEvents } from './views/events.js'
import { readIncidents } from './views/incidents.js'
import { IngestionMonitor } from './views/ingestion-monitor.js'
import { LedgerCheck } from './views/ledger-check.js'
import { readNeighbourhood } from './views/neighbourhood.js'
import { PowerHistory } from './views/power-history.js'
import { readQuarantine } from './views/quarantine.js'
import { readSchedules } from './views/schedules.js'
import { Visitors } from './visitors.js'

export interface DashboardParts {
  readonly settings: Settings
  readonly volt: AutoVolt
  readonly ingestion: Ingestion
  readonly commands: SwitchCommands
  readonly rollouts: FirmwareRollouts
  readonly servers: { readonly database: string; readonly broker: string }
  readonly troubles: Troubles
  readonly neighbourhood: Neighbourhood
  /** A device that can be registered on the page. */
  readonly spare: DevicePlan
  readonly terminal: Terminal
  readonly resources: Resources
}

const outage = 'The database does not answer; what is shown may be old.'

/** Starts the API and the page, and keeps open pages up to date. */
export async function startDashboard({ settings, resources, terminal, ...parts }: DashboardParts): Promise<void> {
  const { volt, ingestion, rollouts, servers } = parts
  const tampering = new Tampering(volt)
  // A database that is kept is left as it was found.
  resources.add('the altered entry', () => tampering.undo())
  const check = new LedgerCheck(volt, tampering, () => feeds.hint('ledger'))
  const history = new PowerHistory(volt)
  const prices = new PriceChanges(volt)
  const monitor = new IngestionMonitor(volt, ingestion, servers)
  const backups = await startBackups(volt, settings, resources)
  const definitions: Feed[] = [
    { name: 'power', everyMs: 2_000, read: () => history.sample() },
    { name: 'classrooms', everyMs: 5_000, read: () => readClassrooms(volt) },
    { name: 'devices', everyMs: 5_000, read: () => readDevices(volt) },
    { name: 'commands', everyMs: 5_000, read: () => readCommands(volt) },
    { name: 'schedules', everyMs: 5_000, read: () => readSchedules(volt) },
    { name: 'rollouts', everyMs: 2_000, read: () => rollouts.view() },
    { name: 'energy', everyMs: 5_000, read: () => readEnergy(volt, prices) },
    { name: 'events', everyMs: 10_000, read: () => readEvents(volt) },
    { name: 'incidents', everyMs: 5_000, read: () => readIncidents(volt) },
    { name: 'neighbourhood', everyMs: 10_000, read: () => readNeighbourhood(volt, parts.neighbourhood) },
    { name: 'quarantine', everyMs: 5_000, read: () => readQuarantine(volt, ingestion) },
    { name: 'ingestion', everyMs: 1_000, read: () => monitor.read() },
    { name: 'ledger', everyMs: 5_000, read: () => check.view() },
    { name: 'backups', everyMs: 5_000, read: () => backups.view() },
    { name: 'problem', everyMs: 1_000, read: () => (feeds.isFailing ? { message: outage } : null) },
  ]
  let web: WebServer | undefined
  const feeds = new LiveFeeds(definitions, (news) => web?.send(news))
  const visitors = new Visitors(volt)
  const routes = apiRoutes({ ...parts, feeds, history, check, tampering, prices, backups, visitors })
  const known = () => [{ name: 'history', json: JSON.stringify(history.samples) }, ...feeds.all()]
  const { address, port } = settings
  web = await startWebServer({ address, port, routes, visitors, firmware: volt.firmware.handler(), known })
  resources.add('the web server', () => web?.close())
  resources.add('the roll-outs', rollouts.start(`${web.url}/firmware`))
  resources.add('the feeds', () => feeds.stop())
  feeds.start()
  resources.add('the verification', () => check.stop())
  check.start(6_000)
  resources.add('the change streams', hintOnChanges(volt, feeds))
  terminal.tell('page', web.url)
}
