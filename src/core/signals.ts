const signals = ['SIGINT', 'SIGTERM'] as const

/**
 * Calls `close` on the first SIGINT or SIGTERM. Where nobody else listens to the signal it then takes its usual course and
 * ends the process. @returns a function that stops listening.
 */
export function closeOnSignals(close: () => Promise<void>): () => void {
  const stop = () => {
    for (const signal of signals) process.off(signal, onSignal)
  }
  const onSignal = async (signal: NodeJS.Signals) => {
    stop()
    const isOurs = process.listenerCount(signal) === 0
    try {
      await close()
    } finally {
      if (isOurs) process.kill(process.pid, signal)
    }
  }
  for (const signal of signals) process.on(signal, onSignal)
  return stop
}
