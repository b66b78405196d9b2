/** The version of the format that entries are written in. */
export const entryFormatVersion = 1

/** The versions that can be read and verified. */
export const entryFormatVersions: ReadonlySet<number> = new Set([entryFormatVersion])
