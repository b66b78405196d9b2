/**
 * Makes one-way hashes of the secrets that an entity keeps as hashes. As the key ring it is given to the database, which
 * does not know how it is done.
 */
export interface SecretHasher {
  /** @throws ValidationError if the text is not to be used as such a secret, DatabaseError `BUSY` if too many wait. */
  hash(plain: string): Promise<string>
  /**
   * Whether the hash is that of the text. Takes the same work for an absent hash, and for a text that can be nobody's.
   * @throws DatabaseError `BUSY` if too many wait.
   */
  verify(plain: unknown, hash: string | undefined): Promise<boolean>
  /** A hash of a text that was verified, whatever is asked of new ones. @throws DatabaseError `BUSY` if too many wait. */
  renew(plain: string): Promise<string>
  /** Whether the hash is as those that are made today. */
  isCurrent(hash: string): boolean
}
