const settleMs = 400

/** @returns what does the work soon, once for many calls. */
export function soon(work) {
  let isDue = false
  return () => {
    if (isDue) return
    isDue = true
    setTimeout(() => {
      isDue = false
      void work()
    }, settleMs)
  }
}
