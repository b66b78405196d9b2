import { z } from 'zod'

const separators = /[:\-.\s]/g
const bareMac = /^[0-9A-F]{12}$/

/** The address as `AA:BB:CC:DD:EE:FF`, from any spelling: other separators, none, lower case. Undefined if it is none. */
export function normalizeMacAddress(text: string): string | undefined {
  if (typeof text !== 'string' || text.length > 32) return undefined
  const bare = text.replace(separators, '').toUpperCase()
  return bareMac.test(bare) ? (bare.match(/../g) ?? []).join(':') : undefined
}

/** A MAC address; inputs may give any spelling of it. */
export const macAddress = () => spelledAddress(/^[0-9A-F]{2}(:[0-9A-F]{2}){5}$/)

/** A MAC address that one device can have: not that of a group (IEEE 802, the last bit of the first octet), and not zero. */
export const unicastMacAddress = () => spelledAddress(/^(?!00(:00){5}$)[0-9A-F][02468ACE](:[0-9A-F]{2}){5}$/)

const spelledAddress = (pattern: RegExp) =>
  z
    .string()
    .transform((text, context) => {
      const mac = normalizeMacAddress(text)
      if (mac !== undefined) return mac
      context.issues.push({ code: 'custom', message: 'expected a MAC address of 12 hexadecimal digits', input: text })
      return z.NEVER
    })
    .pipe(z.string().regex(pattern, { error: 'expected the MAC address of one device' }))

/** What a message names its device by: a MAC address in one spelling, or a text that is none. */
export const shownAddress = () =>
  z
    .string()
    .transform((text) => normalizeMacAddress(text) ?? text)
    .pipe(z.string().max(64))
