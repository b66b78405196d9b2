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
  critical: 'bad',
  high: 'bad',
  medium: 'wait',
  low: 'wait',
  over: 'good',
  resolved: 'good',
  delivered: 'good',
  completed: 'good',
  short: 'bad',
  'to come': 'wait',
  partial: 'wait',
  closed: 'none',
}

/** Shows the state of something by its colour too. */
export function setState(node, state) {
  setAttribute(node, 'data-state', state)
  setAttribute(node, 'data-mood', moods[state] ?? 'none')
}
