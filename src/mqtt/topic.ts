/** Whether an MQTT topic filter, with its `+` and `#`, matches a topic (MQTT 3.1.1, section 4.7). */
export function matchesFilter(filter: string, topic: string): boolean {
  if (filter === topic) return true
  const levels = filter.split('/')
  const parts = topic.split('/')
  // Topics that begin with `$` are the broker's own and are not met by a wildcard at the start.
  if (topic.startsWith('$') && (levels[0] === '+' || levels[0] === '#')) return false
  for (const [at, level] of levels.entries()) {
    if (level === '#') return true
    if (at >= parts.length || (level !== '+' && level !== parts[at])) return false
  }
  return levels.length === parts.length
}
