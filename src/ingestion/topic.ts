/** A topic filter of MQTT, with its `+` and `#`, by its levels. */
export type FilterLevels = readonly string[]

export function hasWildcard(filter: string): boolean {
  return /[+#]/.test(filter)
}

/** Whether the filter matches a topic (MQTT 3.1.1, section 4.7). */
export function matchesFilter(filter: string, topic: string): boolean {
  const levels = filter.split('/')
  return matchesLevels(levels, levelsOf(topic, levels.length))
}

/** The topic's levels; of one with more than so many only one more, for which no filter of so many can hold. */
export function levelsOf(topic: string, most: number): FilterLevels {
  return topic.split('/', most + 1)
}

/** As {@link matchesFilter}. */
export function matchesLevels(filter: FilterLevels, topic: FilterLevels): boolean {
  // Topics that begin with `$` are the broker's own and are not met by a wildcard at the start.
  if (topic[0]?.startsWith('$') && (filter[0] === '+' || filter[0] === '#')) return false
  for (const [at, level] of filter.entries()) {
    if (level === '#') return true
    if (at >= topic.length || (level !== '+' && level !== topic[at])) return false
  }
  return filter.length === topic.length
}
