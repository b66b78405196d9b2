import { BSON, ObjectId } from 'mongodb'
import type { Database } from '../core/database.js'
import { shownFields } from '../core/declared-fields.js'
import type { Entity, Identified } from '../core/entity.js'
import { isPlainObject } from '../core/is-record.js'
import { Mentions } from './mentions.js'
import { type KnownUser, personOf } from './person.js'
import { personalFieldsOf, type SubjectPlan, subjectPlans } from './subject-plan.js'

/** Something that is held about a person. */
export interface HeldDocument {
  readonly collection: string
  /** What its entity is called. */
  readonly entity: string
  /** The path by which it names the person; `texts` where it only does so in words, and then only these texts are in it. */
  readonly because: string
  readonly document: Readonly<Record<string, unknown>>
}

const inWords = 'texts'
const others = 'another person'

/** All that is held about a person, the user first. Ids of other people are left out, and secrets. */
export async function* heldAbout(
  database: Database,
  users: Entity<KnownUser>,
  entities: readonly Entity[],
  user: KnownUser,
): AsyncGenerator<HeldDocument, void, undefined> {
  const mentions = new Mentions(personOf(user._id, user))
  const sorted = entities.toSorted((one, other) => Number(other === users) - Number(one === users))
  for (const entity of sorted) {
    // Of the time to keep and the pseudonym nothing is asked here.
    const plans = subjectPlans(entity, { user: user._id, pseudonym: user._id }, database.clock.now())
    for (const [at, plan] of plans.entries()) yield* named(database, entity, plan, plans.slice(0, at), plans)
    yield* mentioned(database, entity, plans, mentions)
  }
}

async function* named(
  database: Database,
  entity: Entity,
  { path, naming, isIndexed }: SubjectPlan,
  before: readonly SubjectPlan[],
  plans: readonly SubjectPlan[],
): AsyncGenerator<HeldDocument, void, undefined> {
  const documents = database.of(entity, { isOutside: true }).for('export')
  const filter = before.length === 0 ? naming : { ...naming, $nor: before.map((one) => one.naming) }
  const walked = isIndexed || entity.timeSeries !== undefined ? {} : { hint: { _id: 1 } }
  for await (const stored of documents.stream(filter, walked)) {
    const shown = shownFields(entity, stored) as Identified & Record<string, unknown>
    const document = plans.reduce(withoutOthers, shown as Record<string, unknown>)
    yield { collection: entity.collection, entity: entity.name, because: path, document }
  }
}

/** Leaves out who else is named by the path. */
function withoutOthers(document: Record<string, unknown>, { path, naming }: SubjectPlan): Record<string, unknown> {
  return replacedAt(document, path.split('.'), naming[path]) as Record<string, unknown>
}

function replacedAt(value: unknown, segments: readonly string[], own: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => replacedAt(item, segments, own))
  const [head, ...tail] = segments
  if (head === undefined) return value === undefined || isSame(value, own) ? value : others
  if (!isPlainObject(value) || !Object.hasOwn(value, head)) return value
  return { ...value, [head]: replacedAt(value[head], tail, own) }
}

function isSame(one: unknown, other: unknown): boolean {
  return one instanceof ObjectId && other instanceof ObjectId ? one.equals(other) : one === other
}

/** The texts in which the person is named in documents of others. */
async function* mentioned(
  database: Database,
  entity: Entity,
  plans: readonly SubjectPlan[],
  mentions: Mentions,
): AsyncGenerator<HeldDocument, void, undefined> {
  const fields = (personalFieldsOf(entity)?.mentions?.in ?? []).filter((name) => !Object.hasOwn(entity.secrets, name))
  if (fields.length === 0) return
  const documents = database.of(entity, { isOutside: true }).for('export')
  const projection = Object.fromEntries(fields.map((name) => [name, 1]))
  for await (const bytes of documents.streamRaw({}, { projection, hint: { _id: 1 } })) {
    if (!mentions.areIn(bytes)) continue
    const { _id, ...given } = BSON.deserialize(bytes)
    const texts = fields.flatMap((name) => [...mentions.textsIn(name, given[name])])
    const isNamed = plans.length > 0 && (await documents.findOne({ _id, $or: plans.map((one) => one.naming) })) !== null
    if (texts.length === 0 || isNamed) continue
    const document = { _id, ...Object.fromEntries(texts.map(({ path, text }) => [path, text])) }
    yield { collection: entity.collection, entity: entity.name, because: inWords, document }
  }
}
