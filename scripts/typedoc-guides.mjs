// A plugin for typedoc: the guides are called what their first heading says, and stand in the navigation by topic.
import { Converter } from 'typedoc'

/** The topics in the order of the navigation, with the files of each. */
const topics = {
  'First steps': ['ten-minutes', 'building-a-service', 'names', 'coming-from', 'adopting', 'compare'],
  'Sites, devices and people': [
    'entities',
    'devices',
    'transports',
    'schedules',
    'incidents',
    'firmware',
    'mqtt',
    'people',
    'access',
    'notifications',
  ],
  'Energy and cost': ['energy-tasks', 'energy', 'measurements', 'analytics', 'market'],
  'The ledger': ['ledger-tasks', 'ledger', 'auditing', 'ledger-format'],
  'In operation': [
    'operations',
    'metrics',
    'roles',
    'retention',
    'privacy',
    'backup',
    'migrations',
    'indexes',
    'testing',
    'measured',
    'releasing',
  ],
  Security: ['security', 'threats', 'people-security', 'SECURITY'],
  'The project': ['architecture', 'CONTRIBUTING', 'CODE_OF_CONDUCT', 'CHANGELOG'],
}
const topicOf = new Map(Object.entries(topics).flatMap(([topic, names]) => names.map((name) => [name, topic])))
const placeOf = new Map([...topicOf.keys()].map((name, at) => [name, at]))

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const documents = project.documents ?? []
    documents.sort((a, b) => (placeOf.get(a.name) ?? 99) - (placeOf.get(b.name) ?? 99))
    for (const document of documents) {
      document.frontmatter.group ??= topicOf.get(document.name) ?? 'Decisions'
      const text = document.content.map((part) => part.text).join('')
      document.name = /^# (.+)$/m.exec(text)?.[1]?.replaceAll('`', '') ?? document.name
    }
  })
}
