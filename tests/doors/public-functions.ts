import * as root from '@autovolt/data'
import * as analytics from '@autovolt/data/analytics'
import * as backup from '@autovolt/data/backup'
import * as ledger from '@autovolt/data/ledger'
import * as migrations from '@autovolt/data/migrations'
import * as mqtt from '@autovolt/data/mqtt'
import * as opentelemetry from '@autovolt/data/opentelemetry'
import * as prometheus from '@autovolt/data/prometheus'
import * as testing from '@autovolt/data/testing'
import type { AutoVolt } from '../../src/autovolt.js'

/** A function that hosts can call, by its place: `volt.devices.update`, `root.validateData`, `root.change.inc`. */
export interface PublicFunction {
  readonly name: string
  /** The same for a function that several have inherited. */
  readonly identity: string
  readonly call: (...args: readonly unknown[]) => unknown
}

const entryPoints = { root, analytics, backup, ledger, migrations, mqtt, opentelemetry, prometheus, testing }

/** Every function of the package's entry points, those of exported objects included; classes with their static functions. */
export function exportedFunctions(): PublicFunction[] {
  return Object.entries(entryPoints).flatMap(([name, exports]) =>
    Object.entries(exports).flatMap(([key, value]) => functionsOf(`${name}.${key}`, value)),
  )
}

/** Every function of the handle, of what hangs on it, and of what hangs on that. */
export function handleFunctions(volt: AutoVolt): PublicFunction[] {
  return [...methodsOf('volt', volt), ...servicesOf('volt', volt)]
}

function servicesOf(name: string, owner: object): PublicFunction[] {
  return Object.entries(owner).flatMap(([key, service]: [string, unknown]) =>
    isService(service) ? [...methodsOf(`${name}.${key}`, service), ...servicesOf(`${name}.${key}`, service)] : [],
  )
}

/** What is not a service of the handle: its inside, and descriptions. */
const inside = ['Database', 'Object', 'Array', 'EntityCollection']

function isService(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !inside.includes(value.constructor.name)
}

function functionsOf(name: string, value: unknown): PublicFunction[] {
  if (typeof value === 'function')
    return isClass(value) ? constructedBy(name, value) : [{ name, identity: name, call: asCall(value) }]
  if (typeof value !== 'object' || value === null || Array.isArray(value) || '_zod' in value) return []
  return methodsOf(name, value)
}

function isClass(value: object): boolean {
  return String(value).startsWith('class')
}

function constructedBy(name: string, definition: object): PublicFunction[] {
  const statics = Object.getOwnPropertyNames(definition).filter((key) => !['length', 'name', 'prototype'].includes(key))
  return [
    {
      name: `new ${name}`,
      identity: `new ${name}`,
      call: (...args) => Reflect.construct(definition as new () => unknown, args),
    },
    ...statics.flatMap((key) => methodOf(`${name}.${key}`, definition, key)),
  ]
}

function methodsOf(name: string, owner: object): PublicFunction[] {
  const keys = new Set<string>()
  for (
    let at: object | null = owner;
    at !== null && at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object
  ) {
    for (const key of Object.getOwnPropertyNames(at)) if (key !== 'constructor') keys.add(key)
  }
  return [...keys].flatMap((key) => methodOf(`${name}.${key}`, owner, key))
}

function methodOf(name: string, owner: object, key: string): PublicFunction[] {
  const value: unknown = Reflect.get(owner, key)
  if (typeof value !== 'function') return []
  return [{ name, identity: `${key} ${String(value)}`, call: (...args) => asCall(value).apply(owner, [...args]) }]
}

function asCall(value: object): (...args: readonly unknown[]) => unknown {
  return value as (...args: readonly unknown[]) => unknown
}
