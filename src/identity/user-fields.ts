import { z } from 'zod'
import { trimmedText } from '../core/fields.js'

const words = (maximum = 200) => trimmedText(1, maximum).optional()

/** Who somebody is beside the name. */
export const profile = () =>
  z.strictObject({
    /** Where the picture is: a URL, or the host's own name of it. */
    avatar: words(2_000),
    phone: words(50),
    department: words(),
    studentId: words(100),
  })

export const postalAddress = () =>
  z.strictObject({
    street: words(500),
    city: words(),
    state: words(),
    country: words(),
    postalCode: words(20),
  })

/** Figures about a user that the host keeps, by name. */
export const figures = () => z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/), z.number())
