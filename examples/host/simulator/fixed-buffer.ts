/** What the firmware sends when it prints JSON into a buffer: a message that is too long ends in its middle. */
export function printInto(bytes: number, json: object): Buffer {
  // One byte is for the zero at the end of the text.
  return Buffer.from(JSON.stringify(json)).subarray(0, bytes - 1)
}

/** What fits into a JSON document of fixed size on the device: further fields are left out without a word. */
export function fitInto(bytes: number, json: Readonly<Record<string, unknown>>): Record<string, unknown> {
  let used = 0
  const fitting = Object.entries(json).filter(([name, value]) => {
    used += name.length + JSON.stringify(value).length + 8
    return used <= bytes
  })
  return Object.fromEntries(fitting)
}
