/** Waits until the work resolves or rejects, at most `limitMs`. @returns whether it has settled. */
export async function settlesWithin(limitMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const isOver = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs)
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
