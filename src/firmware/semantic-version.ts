import { z } from 'zod'

/** https://semver.org, 2.0.0: the pattern that it suggests. */
const pattern =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$/

export const semanticVersion = () =>
  z.string().max(100).regex(pattern, { error: 'expected a semantic version such as 2.1.0' })

/** Whether the first version precedes the second (semver.org, 11); false where either is none. */
export function precedes(a: string, b: string): boolean {
  const [first, second] = [pattern.exec(a), pattern.exec(b)]
  if (first === null || second === null) return false
  for (const part of [1, 2, 3]) {
    const difference = Number(first[part]) - Number(second[part])
    if (difference !== 0) return difference < 0
  }
  return precedesAsPreRelease(first[4], second[4])
}

function precedesAsPreRelease(a: string | undefined, b: string | undefined): boolean {
  // A release comes after its pre-releases.
  if (a === undefined || b === undefined) return a !== undefined && b === undefined
  const [first, second] = [a.split('.'), b.split('.')]
  for (const [at, one] of first.entries()) {
    const other = second[at]
    if (other === undefined) return false
    if (one === other) continue
    const [isNumber, isOtherNumber] = [/^\d+$/.test(one), /^\d+$/.test(other)]
    if (isNumber && isOtherNumber) return Number(one) < Number(other)
    return isNumber === isOtherNumber ? one < other : isNumber
  }
  return first.length < second.length
}
