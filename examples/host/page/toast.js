import { byId, element } from './dom.js'

const shownMs = 4_500
const most = 3

/** Says something that need not be kept. */
export function toast(text) {
  const list = byId('toasts')
  const node = element('p', { class: 'toast' }, text)
  list.append(node)
  if (list.children.length > most) list.firstElementChild.remove()
  setTimeout(() => node.remove(), shownMs)
}
