/** What is not as it should be, as a value to branch on. */
export type NoticeCode =
  | 'NOT_SET_UP'
  | 'ROLL_UPS_BEHIND'
  | 'REGISTERS_NOT_TAKEN'
  | 'CHECKPOINTS_NOT_MADE'
  | 'FEW_CONNECTIONS'

/** Notice: something without which nothing fails, and without which answers are not what they seem to be. */
export interface Notice {
  readonly code: NoticeCode
  /** What it is, and what to do. */
  readonly message: string
  /** Until when everything was done; null if it never was. */
  readonly completeUntil: Date | null
}

/** Looks for one thing. @returns undefined if all is well. */
export type Check = () => Promise<Notice | undefined>
