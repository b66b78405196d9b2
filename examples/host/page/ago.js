import { element, setText } from './dom.js'
import { ago } from './format.js'

const shown = new Set()

/** A text such as `3 s ago` that stays true. Set `instant` to a time, or to null. */
export function agoText(prefix = '') {
  const node = element('time')
  const text = {
    node,
    instant: null,
    refresh() {
      setText(node, text.instant === null ? '' : `${prefix}${ago(text.instant)}`)
    },
  }
  shown.add(text)
  return text
}

setInterval(() => {
  for (const text of shown) text.refresh()
}, 1000)
