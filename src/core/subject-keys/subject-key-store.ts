/**
 * Subject key store: where the keys of persons are kept, outside the database and its backups. A key is a short text that is sealed by
 * the key ring; a person is known by 64 hexadecimal digits (SHA-256 of the id). Whatever it throws fails the call that needed the key.
 * @example
 * const keys = new Map<string, string | null>() // in production a place that outlives the process
 * const store: SubjectKeyStore = {
 *   read: async (subjects) => new Map(subjects.flatMap((one) => (keys.has(one) ? [[one, keys.get(one) ?? null]] : []))),
 *   write: async (subject, key, before) => {
 *     if (keys.get(subject) === before) keys.set(subject, key)
 *     return keys.get(subject) ?? null
 *   },
 *   destroy: async (subject) => void keys.set(subject, null),
 * }
 */
export interface SubjectKeyStore {
  /** The keys of these persons; null where one was destroyed. Persons who never had one are left out. */
  read(subjects: readonly string[]): Promise<ReadonlyMap<string, string | null>>
  /**
   * Keeps a key, unless another than `before` is kept; in one step, however many processes do so at once.
   * @param before The key that it takes the place of; undefined for a person who never had one.
   * @returns what is kept then; null if it was destroyed.
   */
  write(subject: string, key: string, before?: string): Promise<string | null>
  /** Destroys the key for good, and keeps in mind that it was: no other takes its place. Again is no error. */
  destroy(subject: string): Promise<void>
}
