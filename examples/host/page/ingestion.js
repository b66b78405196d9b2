import { byId, element, KeyedList, setAttribute, setText } from './dom.js'
import { count, perSecond } from './format.js'

const facts = new KeyedList(byId('ingestion-facts'), ({ name }) => name, createFact)

export function showIngestion(status) {
  const {
    messagesPerSecond,
    received,
    acknowledged,
    entries,
    repeated,
    quarantined,
    pending,
    lagMs,
    isHolding,
    retries,
    lastError,
    sessions,
    database,
  } = status
  facts.sync([
    { name: 'messages/s', value: perSecond(messagesPerSecond) },
    { name: 'received', value: count(received) },
    { name: 'acknowledged', value: count(acknowledged) },
    { name: 'new entries', value: count(entries) },
    { name: 'known already', value: count(repeated) },
    { name: 'quarantined', value: count(quarantined) },
    { name: 'pending', value: count(pending) },
    { name: 'lag', value: `${count(lagMs)} ms`, mood: lagMs > 2_000 ? 'wait' : null },
    { name: 'holding', value: isHolding ? 'yes' : 'no', mood: isHolding ? 'bad' : null },
    { name: 'retries', value: count(retries), mood: retries > 0 ? 'wait' : null },
    { name: 'arrival order', value: sessions.ordered, mood: moodOf(sessions.ordered) },
    { name: 'own order', value: sessions.shared, mood: moodOf(sessions.shared) },
    {
      name: 'database',
      value: database.latencyMs === null ? database.status : `${database.latencyMs} ms`,
      mood: database.status === 'up' ? 'good' : 'bad',
    },
  ])
  setText(byId('ingestion-note'), lastError === null ? 'MQTT to ledger' : `not working: ${lastError.message}`)
  setText(byId('ingestion-servers'), `Database: ${status.servers.database}. Broker: ${status.servers.broker}.`)
  setText(byId('chip-rate'), `${perSecond(messagesPerSecond)} messages/s`)
}

function createFact({ name }) {
  const value = element('dd')
  const node = element('div', {}, element('dt', {}, name), value)
  return {
    node,
    update: (fact) => {
      setText(value, fact.value)
      setAttribute(node, 'data-mood', fact.mood)
    },
  }
}

function moodOf(session) {
  return session === 'connected' ? 'good' : session === 'standby' ? 'wait' : 'bad'
}
