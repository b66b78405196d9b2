/** Of dotted paths those that lead into the field, from there on. */
export function pathsBelow(field: string, paths: readonly string[]): string[] {
  return paths.filter((path) => path.startsWith(`${field}.`)).map((path) => path.slice(field.length + 1))
}
