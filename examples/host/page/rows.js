import { element, KeyedList, setText } from './dom.js'
import { dayAndTime } from './format.js'
import { setState } from './mood.js'

/**
 * A list of rows, each with a state, a text and a time.
 * @param parse Gives `{ state, text, at, note }` for an item with an `id`.
 */
export function rowList(parent, parse) {
  return new KeyedList(
    parent,
    ({ id }) => id,
    () => {
      const [state, text, note] = [
        element('b', { class: 'state' }),
        element('span'),
        element('span', { class: 'note' }),
      ]
      const time = element('time')
      const node = element('li', { class: 'row' }, state, text, time, note)
      return {
        node,
        update: (item) => {
          const row = parse(item)
          setState(node, row.state)
          setText(state, row.state.replaceAll('_', ' '))
          setText(text, row.text)
          setText(time, row.at === null ? '' : dayAndTime(row.at))
          setText(note, row.note ?? '')
        },
      }
    },
  )
}
