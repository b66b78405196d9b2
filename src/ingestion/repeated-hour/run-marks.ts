/** A message whose place in time is decided. */
export interface PlacedMessage {
  /** The device's own number of it, in its run. */
  readonly sequence: number
  readonly atMs: number
}

/** Messages of a run of a device that distinguish the first pass of a repeated hour from the second. */
export interface RunMarks {
  /** Undefined for devices that do not name their runs. */
  readonly boot: string | undefined
  /** The message of the latest time that was placed in the first pass; of several of one time, the first that came. */
  readonly first: PlacedMessage | undefined
  /** The earliest one that was placed in the second. */
  readonly second: PlacedMessage | undefined
}

/** A message of a local time that clocks showed twice. */
export interface RepeatedMessage {
  readonly boot: string | undefined
  readonly sequence: number | undefined
  readonly firstMs: number
  readonly secondMs: number
  /** No later instant can be meant: devices' clocks are not ahead of the arrival by more. */
  readonly latestMs: number
}

/** Which of its two instants a message means. */
export interface RepeatedTime {
  readonly isSecond: boolean
  /** False where nothing decides: then it is taken for the first. */
  readonly isDecided: boolean
}

/** Runs that are remembered: a device that starts again more often within the hour is taken for one that shows nothing. */
const rememberedRuns = 4

/**
 * Decides which instant is meant, by the messages of its run that are placed already: within a run time does not go backwards
 * (energy rules, "Time").
 */
export function decide(runs: readonly RunMarks[], message: RepeatedMessage): RepeatedTime {
  const { sequence, firstMs, secondMs, latestMs } = message
  if (secondMs > latestMs) return { isSecond: false, isDecided: true }
  const { first, second } = runs.find(({ boot }) => boot === message.boot) ?? {}
  if (sequence === undefined) return { isSecond: false, isDecided: false }
  if ([first, second].some((placed) => placed && placed.sequence < sequence && placed.atMs > firstMs)) {
    return { isSecond: true, isDecided: true }
  }
  const isBeforeFirst = first !== undefined && first.sequence > sequence && first.atMs >= firstMs
  return { isSecond: false, isDecided: isBeforeFirst && first.atMs < secondMs }
}

/** The runs, with what the message shows that was placed; the same ones if that is nothing. */
export function withPlaced(
  runs: readonly RunMarks[],
  message: RepeatedMessage,
  { isSecond }: RepeatedTime,
): readonly RunMarks[] {
  const { boot, sequence, firstMs, secondMs, latestMs } = message
  // A time that is not credible places nothing.
  if (sequence === undefined || firstMs > latestMs) return runs
  const known = runs.find((run) => run.boot === boot) ?? { boot, first: undefined, second: undefined }
  const marks = isSecond
    ? withSecond(known, { sequence, atMs: secondMs })
    : withFirst(known, { sequence, atMs: firstMs })
  return marks === known ? runs : [marks, ...runs.filter((run) => run !== known)].slice(0, rememberedRuns)
}

function withFirst(marks: RunMarks, placed: PlacedMessage): RunMarks {
  const { boot, first, second } = marks
  // A higher number of the same time may be of the second pass. It must not hide what the lower one shows of those between.
  if (first !== undefined && placed.atMs <= first.atMs) return marks
  const isSameHour = second !== undefined && second.atMs > placed.atMs && placed.sequence < second.sequence
  return { boot, first: placed, second: isSameHour ? second : undefined }
}

function withSecond(marks: RunMarks, placed: PlacedMessage): RunMarks {
  const { second } = marks
  return second === undefined || placed.sequence < second.sequence ? { ...marks, second: placed } : marks
}
