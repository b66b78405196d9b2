/** What is not finished may still be under way for so long after its last file. */
export const unfinishedMs = 24 * 60 * 60_000
