import { AutoVolt } from '@autovolt/data'
import { deployedDecoder, type Ingestion, startIngestion, v2Decoder } from '@autovolt/data/mqtt'
import { startDashboard } from './dashboard.js'
import { leaveBroker } from './leave-broker.js'
import { registerSchool } from './registration.js'
import type { Resources } from './resources.js'
import { connectToBroker, openBroker, openDatabaseServer } from './servers.js'
import type { Settings } from './settings.js'
import { deployedStatusTopic } from './simulator/deployed-device.js'
import { planSchool } from './simulator/school-plan.js'
import { startSimulator } from './simulator/simulator.js'
import { SwitchCommands } from './switch-commands.js'
import type { Terminal } from './terminal.js'

const ingestionName = 'autovolt-host-app'

/**
 * Starts everything: the servers, the library on top of them, the page, and the simulated school. What was started is
 * handed to the resources at once, so that it ends even where a later part does not start.
 * @returns where the page is.
 */
export async function startHostApp(
  settings: Settings,
  terminal: Terminal,
  resources: Resources,
  ending: AbortSignal,
): Promise<string> {
  const server = await openDatabaseServer(settings.mongodbUri, resources)
  terminal.tell('database', server.description)
  ending.throwIfAborted()
  const broker = await openBroker(settings.mqttUrl, resources)
  const client = await connectToBroker(broker, resources)
  terminal.tell('broker', broker.description)
  ending.throwIfAborted()

  const { uri, dbName, keys } = server
  const volt = await AutoVolt.open({
    uri,
    dbName,
    keys,
    logger: terminal.logger,
    connectRetryMs: 5_000,
    serverSelectionTimeoutMs: 2_000,
  })
  resources.add('the database handle', () => volt.close())
  await volt.setup()
  const school = planSchool(settings.seed)
  await registerSchool(volt, school)
  terminal.tell('school', `${school.devices.length} devices registered, simulated with SEED=${settings.seed}`)
  ending.throwIfAborted()

  const ingestion = await startIngestion(volt, {
    url: broker.url,
    name: ingestionName,
    decoders: [deployedDecoder({ statusTopics: [deployedStatusTopic] }), v2Decoder({ authentication: 'hmac' })],
  })
  if (settings.mqttUrl !== undefined) {
    const devices = [...school.devices, school.unregistered]
    resources.add('the clean-up of the broker', () => leaveBroker(client, broker.url, devices, sessionsOf(ingestion)))
  }
  resources.add('the ingestion', () => ingestion.close())
  terminal.tell('ingestion', 'the deployed firmware, and version 2 with signatures')
  ending.throwIfAborted()

  const commands = new SwitchCommands(volt, client)
  const servers = { database: server.description, broker: broker.description }
  const url = await startDashboard({
    settings,
    volt,
    ingestion,
    commands,
    servers,
    spare: school.unregistered,
    terminal,
    resources,
  })
  ending.throwIfAborted()

  const simulator = startSimulator({
    url: broker.url,
    school,
    seed: settings.seed,
    sendCommand: (macAddress, gpio, on, person) => commands.send(macAddress, gpio, on, person),
  })
  resources.add('the simulator', () => simulator.stop())
  return url
}

/** The sessions that this process holds; another's are not ours to end. */
function sessionsOf(ingestion: Ingestion): string[] {
  const { ordered, shared } = ingestion.status().sessions
  return [
    ...(ordered === 'connected' ? [`${ingestionName}-ordered`] : []),
    ...(shared === 'connected' ? [`${ingestionName}-main`] : []),
  ]
}
