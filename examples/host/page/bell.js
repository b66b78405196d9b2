import { onPress, post } from './api.js'
import { byId, element, KeyedList, setAttribute, setText } from './dom.js'
import { timeOfDay } from './format.js'

const list = new KeyedList(byId('bell-items'), ({ id }) => id, createItem)
let unread = []

/** The notifications of who is looking, as they come. */
export function showBell({ unread: count, isMore, newest }) {
  unread = newest.filter((one) => one.unread).map(({ id }) => id)
  setText(byId('bell-count'), isMore ? `${count}+` : String(count))
  setAttribute(byId('bell-count'), 'data-unread', count)
  byId('bell-none').hidden = newest.length > 0
  byId('bell-read').disabled = count === 0
  list.sync(newest)
}

function createItem({ title, body, severity, at }) {
  const time = element('time', { datetime: at }, timeOfDay(at))
  const node = element('li', { 'data-severity': severity }, element('b', {}, title), ' ', time)
  if (body !== null) node.append(element('p', { class: 'note' }, body))
  return { node, update: (news) => setAttribute(node, 'data-unread', news.unread) }
}

byId('bell').addEventListener('click', () => {
  const isOpen = byId('bell-list').hidden
  byId('bell-list').hidden = !isOpen
  setAttribute(byId('bell'), 'aria-expanded', String(isOpen))
})
onPress(byId('bell-read'), () => post('notifications/read', { ids: unread }))
