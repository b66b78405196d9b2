import { z } from 'zod'

/**
 * What of an address is looked at: its form, not whether anybody gets mail there. Quoted local parts are refused, as mailers
 * disagree on what they mean, and so are the characters that normalising turns into another @ (GHSA-7rqj-j65f-68wh). Dots stand
 * between other characters; a label of the domain has letters and digits of any script, and hyphens inside.
 */
const addressForm =
  /^(?=[^@]{1,64}@[^@]{1,189}$)[^\s@A-Z<>,;"\uFF20\uFE6B.]+(\.[^\s@A-Z<>,;"\uFF20\uFE6B.]+)*@(?![^A-Z]*[A-Z])(?!-)[\p{L}\p{M}\p{N}-]{1,63}(?<!-)(\.(?!-)[\p{L}\p{M}\p{N}-]{1,63}(?<!-))*$/u

/** The form has 254 characters at most, and may be given between spaces. */
const maximumLength = 320

const error = 'expected an e-mail address'

/**
 * An e-mail address, kept trimmed and in lower case; inputs may give any spelling of it. Texts that only look like one, with
 * letters of full width for instance, are refused. Mail is to be sent to the address as it is kept.
 */
export const emailAddress = () =>
  z
    .string()
    // Before anything is done with it: normalising a long text takes the square of its length.
    .max(maximumLength, { error, abort: true })
    .refine((text) => text.normalize('NFKC') === text.normalize('NFC'), { error })
    .transform((text) => text.trim().toLowerCase().normalize('NFC'))
    .pipe(z.string().regex(addressForm, { error }))
