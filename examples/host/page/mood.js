import { setAttribute } from './dom.js'

const moods = {
  succeeded: 'good',
  finished: 'good',
  enabled: 'good',
  next: 'good',
  failed: 'bad',
  rolled_back: 'bad',
  expired: 'bad',
  halted: 'bad',
  error: 'bad',
  queued: 'wait',
  sent: 'wait',
  acknowledged: 'wait',
  running: 'wait',
  paused: 'wait',
  warning: 'wait',
}

/** Shows the state of something by its colour too. */
export function setState(node, state) {
  setAttribute(node, 'data-state', state)
  setAttribute(node, 'data-mood', moods[state] ?? 'none')
}
