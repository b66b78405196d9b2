/** Of our entities those of which nothing is computed: logs, messages, and what has ended. */
const passing = [
  'activities',
  'auditLogs',
  'deviceLogs',
  'deviceCommands',
  'cases',
  'alerts',
  'notifications',
  'notificationDeliveries',
  'userSessions',
  'userTokens',
  'quarantine',
  'firmwareInstalls',
  'intervals',
  'powerConsumption',
  'migrationHistory',
] as const

interface InCollection {
  readonly collection: string
}

/** The collections of which old documents may be let go: of the others the documents are kept by rules of their own. */
export function mayGo(
  ours: Readonly<Record<(typeof passing)[number], InCollection>>,
  hosts: readonly InCollection[] = [],
): ReadonlySet<string> {
  return new Set([...passing.map((key) => ours[key]), ...hosts].map(({ collection }) => collection))
}
