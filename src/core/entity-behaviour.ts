/** A virtual that is true or false, by the filters that say the same of stored fields. */
export interface FindableVirtual {
  readonly whenTrue: Readonly<Record<string, unknown>>
  readonly whenFalse: Readonly<Record<string, unknown>>
}

/** What documents and models of the entity do besides holding data. */
export interface EntityBehaviour {
  /**
   * Fields that the repository does more about when they change, such as ending sessions: the Mongoose model does not change
   * them in documents that are there, and does not remove these.
   */
  readonly repositoryOnly?: readonly string[]
  /** What is taken and still looks wrong, by field: a text that is returned is logged as a warning, without the value. */
  readonly doubts?: Readonly<Record<string, (given: string) => string | undefined>>
  /** Functions and values that Mongoose documents have; plain objects do not. */
  readonly virtuals?: Readonly<Record<string, (document: never) => unknown>>
  /** Those of the virtuals that a repository's filters can name; `Findable` says so to the types. */
  readonly findable?: Readonly<Record<string, FindableVirtual>>
  readonly methods?: Readonly<Record<string, (...args: never[]) => unknown>>
  readonly statics?: Readonly<Record<string, (...args: never[]) => unknown>>
}

export function behaviourOf(given: EntityBehaviour): Required<EntityBehaviour> {
  const { repositoryOnly = [], doubts = {}, virtuals = {}, findable = {}, methods = {}, statics = {} } = given
  return { repositoryOnly, doubts, virtuals, findable, methods, statics }
}

export function extendedBehaviour(one: EntityBehaviour, other: EntityBehaviour): EntityBehaviour {
  return {
    repositoryOnly: [...(one.repositoryOnly ?? []), ...(other.repositoryOnly ?? [])],
    doubts: { ...one.doubts, ...other.doubts },
    virtuals: { ...one.virtuals, ...other.virtuals },
    findable: { ...one.findable, ...other.findable },
    methods: { ...one.methods, ...other.methods },
    statics: { ...one.statics, ...other.statics },
  }
}
