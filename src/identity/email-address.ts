import { z } from 'zod'

/** What of an address is looked at: its form, not whether anybody gets mail there. */
const addressForm = /^[^\s@A-Z<>,;]{1,64}@[^\s@A-Z<>,;]{1,189}$/u

/** An e-mail address, kept trimmed and in lower case; inputs may give any spelling of it. */
export const emailAddress = () =>
  z
    .string()
    .transform((text) => text.trim().toLowerCase().normalize('NFC'))
    .pipe(z.string().regex(addressForm, { error: 'expected an e-mail address' }))
