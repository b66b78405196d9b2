import { describe, expect, it } from 'vitest'
import { timeZone } from '../../src/devices/time-zone.js'
import { isTimeZone } from '../../src/metering/index.js'

describe('a time zone', () => {
  it.each(['UTC', 'Asia/Kolkata', 'Asia/Calcutta', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5', 'Asia/Kolkata'])(
    'is %s',
    (name) => {
      expect(timeZone().safeParse(name).success).toBe(true)
    },
  )

  it.each(['', 'Mars/Olympus', 'Asia/Kolkata ', 'IST; DROP', '+0530', '+05:30', '-08', 5, null])(
    'is not %j',
    (name) => {
      expect(timeZone().safeParse(name).success).toBe(false)
    },
  )

  it('is whatever civil time can be computed in', () => {
    for (const name of ['UTC', 'gmt', 'EST5EDT', '+0530', 'Z', 'UTC+1', 'utc-8']) {
      expect(timeZone().safeParse(name).success).toBe(isTimeZone(name))
    }
  })
})
