/** Waits for the work, but not longer than this; how it ends does not matter. @returns whether it has ended. */
export async function within(patienceMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const isOver = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), patienceMs)
  })
  const isDone = work.then(
    () => true,
    () => true,
  )
  try {
    return await Promise.race([isDone, isOver])
  } finally {
    clearTimeout(timer)
  }
}
