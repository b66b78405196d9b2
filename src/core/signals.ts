const signals = ['SIGINT', 'SIGTERM'] as const

/** What is to be closed, of all handles that asked for it: the signal may take its course only after the last of them. */
const closers = new Set<() => Promise<void>>()

/**
 * Calls `close` on the first SIGINT or SIGTERM. Where nobody else listens to the signal it then takes its usual course and
 * ends the process; a second signal does not wait. @returns a function that stops listening.
 */
export function closeOnSignals(close: () => Promise<void>): () => void {
  if (closers.size === 0) for (const signal of signals) process.on(signal, closeAll)
  closers.add(close)
  return () => {
    closers.delete(close)
    if (closers.size === 0) stopListening()
  }
}

function closeAll(signal: NodeJS.Signals): void {
  stopListening()
  const isOurs = process.listenerCount(signal) === 0
  const closing = [...closers].map((close) => close())
  closers.clear()
  void Promise.allSettled(closing).then(() => {
    if (isOurs) process.kill(process.pid, signal)
  })
}

function stopListening(): void {
  for (const signal of signals) process.off(signal, closeAll)
}
