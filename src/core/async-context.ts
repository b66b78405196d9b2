import { AsyncLocalStorage } from 'node:async_hooks'

type Values = ReadonlyMap<object, unknown>

/**
 * One storage for all values: on Node 20 each storage that was ever used makes every promise of the process slower for good,
 * so one for each handle would slow down a process that opens and closes many.
 */
const storage = new AsyncLocalStorage<Values>()

/** A value that travels with the asynchronous calls of its work: who acts, or in which transaction they are made. */
export class AsyncContext<Value> {
  /** Calls that the work makes, at once or later, have the value; calls inside a further `run` have that one's. */
  run<Result>(value: Value, work: () => Result): Result {
    return storage.run(new Map(storage.getStore()).set(this, value), work)
  }

  /** The value that the caller has; `undefined` outside of all work. */
  get value(): Value | undefined {
    // What is kept under this object was put there by its `run`.
    return storage.getStore()?.get(this) as Value | undefined
  }
}
