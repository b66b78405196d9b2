import { onPress, post } from './api.js'
import { byId, element, KeyedList, setText } from './dom.js'
import { count, timeOfDay, words } from './format.js'
import { toast } from './toast.js'

const reasons = new KeyedList(byId('reasons'), ({ reason }) => reason, createReason)
const messages = new KeyedList(byId('messages'), ({ id }) => id, createMessage)

export function showQuarantine({ byReason, dropped, messages: news }) {
  const counts = Object.entries(byReason).map(([reason, number]) => ({ reason, number }))
  const droppedToo = dropped > 0 ? [{ reason: 'dropped for age or number', number: dropped }] : []
  reasons.sync([...counts.toSorted((a, b) => b.number - a.number), ...droppedToo])
  messages.sync(news)
  byId('register').hidden = byReason.unknown_device === undefined
}

function createReason({ reason }) {
  const number = element('b')
  return {
    node: element('li', { 'data-reason': reason }, words(reason), number),
    update: (news) => setText(number, count(news.number)),
  }
}

function createMessage(message) {
  const from = message.device ?? message.macAddress ?? 'sender unknown'
  const times = element('span', { class: 'note' })
  const detail = element('p', { class: 'note' })
  const reason = element('b')
  const node = element(
    'li',
    { class: 'message' },
    element('header', {}, reason, element('span', {}, from), element('span', { class: 'note' }, message.topic), times),
    detail,
    payloadOf(message.shownPayload),
  )
  return {
    node,
    update: (news) => {
      setText(reason, words(news.reason))
      setText(detail, news.detail)
      setText(times, timesOf(news))
    },
  }
}

function timesOf({ occurrences, replays, lastReceivedAt, payloadBytes }) {
  const often = occurrences === 1 ? [] : [`${count(occurrences)} times, last`]
  const tried = replays === 0 ? [] : [replays === 1 ? 'replayed once' : `replayed ${count(replays)} times`]
  return [...tried, `${payloadBytes} bytes`, [...often, timeOfDay(lastReceivedAt)].join(' ')].join(' · ')
}

/** What was left out is marked. */
function payloadOf(text) {
  const parts = text.split('***').flatMap((part, index) => (index === 0 ? [part] : [element('mark', {}, '***'), part]))
  return element('code', {}, ...parts)
}

onPress(byId('replay'), async () => {
  const answer = await post('quarantine/replay')
  if (answer === undefined) return
  const { used, refused, skipped } = answer
  const left = skipped === 0 ? '' : `, ${count(skipped)} left to another process`
  setText(byId('replay-result'), `${count(used)} could be used now, ${count(refused)} still cannot be${left}.`)
})
onPress(byId('register'), async () => {
  const answer = await post('devices/register')
  if (answer !== undefined) toast(`${answer.name} is registered. Its messages can be replayed now.`)
})
