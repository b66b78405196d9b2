import { AutoVolt } from '@autovolt/data'
import { connectTransport, deployedDecoder, type Ingestion, startIngestion, v2Decoder } from '@autovolt/data/mqtt'
import type { MqttClient } from 'mqtt'
import { access } from './access-rules.js'
import { startNotices } from './bell.js'
import { startDashboard } from './dashboard.js'
import { FirmwareRollouts } from './firmware-rollouts.js'
import { startIncidents } from './incidents/start-incidents.js'
import { leaveBroker } from './leave-broker.js'
import { startNeighbourhood } from './neighbourhood/start-neighbourhood.js'
import { appendPastDays } from './past-days.js'
import { registerPeople } from './people.js'
import { isDeployed, registerSchool } from './registration.js'
import type { Resources } from './resources.js'
import { type Broker, connectToBroker, type DatabaseServer, openBroker, openDatabaseServer } from './servers.js'
import type { Settings } from './settings.js'
import { deployedStatusTopic } from './simulator/deployed-device.js'
import type { SendCommand } from './simulator/people.js'
import { planSchool, type SchoolPlan } from './simulator/school-plan.js'
import { startSimulator } from './simulator/simulator.js'
import { Troubles } from './simulator/troubles.js'
import { SwitchCommands } from './switch-commands.js'
import type { Terminal } from './terminal.js'

const ingestionName = 'autovolt-host-app'

/**
 * Starts everything: the servers, the library on top of them, the page, and the simulated school. What was started is
 * handed to the resources at once, so that it ends even where a later part does not start.
 */
export async function startHostApp(
  settings: Settings,
  terminal: Terminal,
  resources: Resources,
  ending: AbortSignal,
): Promise<void> {
  const server = await openDatabaseServer(settings.mongodbUri, resources)
  terminal.tell('database', server.description)
  ending.throwIfAborted()

  const broker = await openBroker(settings.mqttUrl, resources)
  const client = await connectToBroker(broker, resources)
  terminal.tell('broker', broker.description)
  ending.throwIfAborted()

  const school = planSchool(settings.seed)
  const volt = await openDatabase(server, school, terminal, resources)
  terminal.tell('school', `${school.devices.length} devices registered, simulated with SEED=${settings.seed}`)
  ending.throwIfAborted()

  const past = await appendPastDays(volt, school, settings.seed)
  terminal.tell('past', past === 0 ? 'what the database has' : `${past} ledger entries, made up`)
  // From here on hours, days and months of energy and cost follow the ledger.
  resources.add('what is kept', volt.start({ rollUps: { everyMs: 2_000 }, checkpoints: { everyMs: 10_000 } }))
  ending.throwIfAborted()

  const ingestion = await startTaking(volt, broker, client, school, resources)
  terminal.tell('ingestion', 'the deployed firmware, and version 2 with signatures')
  ending.throwIfAborted()

  const commands = await startCommands(volt, broker, resources)
  await startIncidents(volt, resources)
  const servers = { database: server.description, broker: broker.description }
  const spare = school.unregistered
  const rollouts = new FirmwareRollouts(volt, client)
  const troubles = new Troubles()
  const neighbourhood = await startNeighbourhood(volt, server, settings.seed, resources)
  terminal.tell('market', `${neighbourhood.neighbours.length} neighbours who trade`)
  ending.throwIfAborted()
  await startDashboard({
    settings,
    volt,
    ingestion,
    commands,
    rollouts,
    troubles,
    neighbourhood,
    servers,
    spare,
    terminal,
    resources,
  })
  ending.throwIfAborted()

  const { seed } = settings
  const sendCommand: SendCommand = (...told) => commands.send(...told)
  const simulator = startSimulator({ url: broker.url, school, seed, sendCommand, troubles })
  resources.add('the simulator', () => simulator.stop())
}

/** Each change stream has a connection to itself while it waits: a dozen of them, and room for the work beside. */
const maxPoolSize = 50

/** The library on its database, with the school registered. */
async function openDatabase(
  { uri, dbName, keys, ledgerLog }: DatabaseServer,
  school: SchoolPlan,
  { logger }: Terminal,
  resources: Resources,
): Promise<AutoVolt> {
  // Somebody is waiting in front of the screen: a server that is not there is reported soon.
  const patience = { connectRetryMs: 5_000, serverSelectionTimeoutMs: 2_000 }
  const volt = await AutoVolt.open({ uri, dbName, keys, ledgerLog, logger, maxPoolSize, access, ...patience })
  resources.add('the database handle', () => volt.close())
  await volt.setup()
  await registerSchool(volt, school)
  await registerPeople(volt)
  return volt
}

/** From here on messages become ledger entries. */
async function startTaking(
  volt: AutoVolt,
  broker: Broker,
  client: MqttClient,
  school: SchoolPlan,
  resources: Resources,
): Promise<Ingestion> {
  const ingestion = await startIngestion(volt, {
    url: broker.url,
    name: ingestionName,
    // Rules look at what was measured, and the desk draws it.
    measurements: true,
    telemetry: true,
    decoders: [deployedDecoder({ statusTopics: [deployedStatusTopic] }), v2Decoder()],
  })
  let sessions: string[] = []
  if (!broker.isEmbedded) {
    const devices = [...school.devices, school.unregistered]
    resources.add('the clean-up of the broker', () => leaveBroker(client, broker.url, devices, sessions))
  }
  resources.add('the ingestion', () => {
    sessions = heldSessions(ingestion)
    return ingestion.close()
  })
  return ingestion
}

/** From here on what is due gets into the queue of commands, and what is in the queue goes to the devices. */
async function startCommands(volt: AutoVolt, broker: Broker, resources: Resources): Promise<SwitchCommands> {
  const transport = await connectTransport(volt, { url: broker.url, isVersion2: (device) => !isDeployed(device) })
  resources.add('the road to the devices', () => transport.close())
  resources.add('the commands', volt.commands.start({ transports: [transport] }))
  resources.add('the schedules', volt.schedules.start())
  resources.add('the notices', startNotices(volt))
  return new SwitchCommands(volt)
}

/** The sessions that this process holds; another's are not ours to end. */
function heldSessions(ingestion: Ingestion): string[] {
  const { ordered, shared } = ingestion.status().sessions
  const ofOrdered = ordered === 'connected' ? [`${ingestionName}-ordered`] : []
  const ofShared = shared === 'connected' ? [`${ingestionName}-main`] : []
  return [...ofOrdered, ...ofShared]
}
