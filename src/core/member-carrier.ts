/**
 * A class whose instances have the members of the object that they are made of. What such a class has cannot be declared, so the
 * caller names its type.
 */
export function memberCarrier<Carrier extends new (members: never) => object>(): Carrier {
  const carrier: new (members: never) => object = class {
    constructor(members: object) {
      Object.assign(this, members)
    }
  }
  return carrier as Carrier
}
