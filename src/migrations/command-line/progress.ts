import type { Writable } from 'node:stream'
import { printable } from '../../core/printable.js'
import type { RunEvent, RunProgress } from '../run/run-parts.js'

const barWidth = 30
const redrawEveryMs = 100
const lineEveryMs = 5_000

export interface ShownProgress {
  readonly onEvent: (event: RunEvent) => void
  /** Takes the bar away. */
  readonly end: () => void
}

/** Shows how far a run is: a bar that is redrawn on a terminal, now and then a line elsewhere. */
export function progressOn(errors: Writable): ShownProgress {
  const isTerminal = 'isTTY' in errors && errors.isTTY === true
  let shownMs = Number.NEGATIVE_INFINITY
  const clear = () => {
    if (isTerminal) errors.write('\r\x1b[K')
  }
  const onEvent = (event: RunEvent) => {
    if (event.type !== 'progress') {
      clear()
      shownMs = Number.NEGATIVE_INFINITY
      errors.write(`${event.type} ${event.direction === 'up' ? '' : 'rollback of '}${printable(event.migration)}\n`)
      return
    }
    const nowMs = performance.now()
    if (nowMs - shownMs < (isTerminal ? redrawEveryMs : lineEveryMs)) return
    shownMs = nowMs
    clear()
    errors.write(isTerminal ? barOf(event) : `${lineOf(event)}\n`)
  }
  return { onEvent, end: clear }
}

function barOf(progress: RunProgress): string {
  const { done, total } = progress
  if (total === null || total === 0) return lineOf(progress)
  const full = Math.min(barWidth, Math.round((done / total) * barWidth))
  return `[${'#'.repeat(full)}${'.'.repeat(barWidth - full)}] ${lineOf(progress)}`
}

function lineOf({ migration, step, steps, done, total, perSecond, remainingMs }: RunProgress): string {
  const rate = perSecond === 0 ? '' : `, ${Math.round(perSecond)}/s`
  const left = remainingMs === null ? '' : `, ${Math.ceil(remainingMs / 1000)} s left`
  return `${printable(migration)} step ${step}/${steps}: ${done}${total === null ? '' : ` of ${total}`}${rate}${left}`
}
