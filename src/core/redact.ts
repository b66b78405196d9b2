const credentials = /\b(mongodb(?:\+srv)?|mqtts?|wss?|https?|redis|amqps?):\/\/[^@/\s]*@/gi

/** The text with the user name and password of every connection string in it replaced by `***`. */
export function redactCredentials(text: string): string {
  return text.replace(credentials, '$1://***@')
}

/** The error as it may be shown: itself where it names no credentials, else a copy without them. */
export function redactError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  if (
    redactCredentials(error.message) === error.message &&
    redactCredentials(error.stack ?? '') === (error.stack ?? '')
  ) {
    return error
  }
  const safe = new Error(redactCredentials(error.message))
  safe.name = error.name
  safe.stack = redactCredentials(error.stack ?? '')
  return safe
}
