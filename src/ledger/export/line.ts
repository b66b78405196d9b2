export type Line = Record<string, unknown>

/** The object with one member that a line is; undefined if it is none. */
export function parseLine(bytes: Buffer): Line | undefined {
  try {
    const line: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof line === 'object' && line !== null && Object.keys(line).length === 1 ? (line as Line) : undefined
  } catch {
    return undefined
  }
}
