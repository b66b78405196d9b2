import type { Writable } from 'node:stream'
import type { BackupProgress, OnProgress } from '../../backup/progress.js'
import { printable } from '../../core/printable.js'

const barWidth = 30
const redrawEveryMs = 100

export interface Progress {
  readonly onProgress: OnProgress
  /** Takes the bar away; to be called before a result is printed. */
  readonly end: () => void
}

/** Shows how far it is: as a bar that is redrawn on a terminal, as a line for each step elsewhere. */
export function progressOn(errors: Writable): Progress {
  const isTerminal = 'isTTY' in errors && errors.isTTY === true
  let [shownMs, shown] = [0, '']
  const onProgress = (progress: BackupProgress) => {
    const step = printable(`${progress.phase} ${progress.name}`)
    if (!isTerminal) {
      if (step !== shown) errors.write(`${step}\n`)
      shown = step
      return
    }
    if (performance.now() - shownMs < redrawEveryMs) return
    shownMs = performance.now()
    errors.write(`\r\x1b[K${bar(progress)}${step.slice(0, 60)} · ${amount(progress)}`)
    shown = step
  }
  const end = () => {
    if (isTerminal && shown !== '') errors.write('\r\x1b[K')
    shown = ''
  }
  return { onProgress, end }
}

function bar({ bytes, totalBytes }: BackupProgress): string {
  if (totalBytes === null || totalBytes === 0) return ''
  const full = Math.min(barWidth, Math.round((bytes / totalBytes) * barWidth))
  return `[${'#'.repeat(full)}${'.'.repeat(barWidth - full)}] `
}

function amount({ documents, bytes }: BackupProgress): string {
  return `${documents.toLocaleString('en')} documents, ${showBytes(bytes)}`
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** Bytes for people, such as `1.4 GiB`. */
export function showBytes(bytes: number): string {
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10))
  const amount = bytes / 1024 ** power
  return `${power === 0 ? amount : amount.toFixed(1)} ${units[power]}`
}
