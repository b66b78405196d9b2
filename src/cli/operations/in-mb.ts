/** Bytes for a reader, such as `1.5 MB`. */
export function inMb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
