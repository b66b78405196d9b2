/** A virtual that is true or false, by the filters that say the same of stored fields. */
export interface FindableVirtual {
  readonly whenTrue: Readonly<Record<string, unknown>>
  readonly whenFalse: Readonly<Record<string, unknown>>
}

/** Functions that Mongoose documents or models of the entity have; plain objects do not. */
export interface EntityBehaviour {
  readonly virtuals?: Readonly<Record<string, (document: never) => unknown>>
  /** Those of the virtuals that a repository's filters can name; `Findable` says so to the types. */
  readonly findable?: Readonly<Record<string, FindableVirtual>>
  readonly methods?: Readonly<Record<string, (...args: never[]) => unknown>>
  readonly statics?: Readonly<Record<string, (...args: never[]) => unknown>>
}

export function behaviourOf({ virtuals, findable, methods, statics }: EntityBehaviour): Required<EntityBehaviour> {
  return { virtuals: virtuals ?? {}, findable: findable ?? {}, methods: methods ?? {}, statics: statics ?? {} }
}

export function extendedBehaviour(one: EntityBehaviour, other: EntityBehaviour): EntityBehaviour {
  return {
    virtuals: { ...one.virtuals, ...other.virtuals },
    findable: { ...one.findable, ...other.findable },
    methods: { ...one.methods, ...other.methods },
    statics: { ...one.statics, ...other.statics },
  }
}
