import { commandRow } from './command-row.js'
import { settleCommands } from './devices.js'
import { byId, KeyedList } from './dom.js'

const list = new KeyedList(byId('command-list'), ({ id }) => id, commandRow)

export function showCommands(commands) {
  settleCommands(commands)
  list.sync(commands)
}
