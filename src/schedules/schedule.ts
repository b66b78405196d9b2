import { z } from 'zod'
import { defineEntity, type Input, type Stored } from '../core/entity.js'
import { anyValue, civilDay, objectId } from '../core/fields.js'
import { scheduleRule } from './schedule-rule.js'

/** How many parts the schedules are in: each is worked on by one process at a time. */
export const slots = 16

const targetKinds = ['switch', 'device', 'classroom'] as const

/** When something is to be done with a switch, a device or a classroom. */
export const scheduleEntity = defineEntity({
  name: 'schedule',
  collection: 'schedules',
  personal: {
    subjects: { owner: { onErasure: 'delete' } },
    mentions: { in: ['name', 'action', 'stoppedReason', 'lastError'], onErasure: 'replace' },
    notPersonal: (
      'target rule enabled validFrom validUntil onHolidays missedRuns catchUpMs switchTime classroom slot nextAt nextKey ' +
      'basis lastRun missed'
    ).split(' '),
  },
  fields: {
    /** What people call it. */
    name: z.string().min(1).max(200),
    /** The user that it belongs to. */
    owner: objectId().optional(),
    /** What it is done with. */
    target: z.strictObject({
      /** Of what sort that is. */
      kind: z.enum(targetKinds),
      /** Its id. */
      id: objectId(),
    }),
    /** When: times of day, cron, or the sun. */
    rule: scheduleRule(),
    /** A command, such as `turn_on`, with its parameters. */
    action: z.strictObject({
      /** Its name. */
      command: z.string().min(1).max(100),
      /** What it is given. */
      parameters: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/), anyValue()).optional(),
    }),
    /** Whether it runs at all. */
    enabled: z.boolean().default(true),
    /** The first day on which it runs, by the clocks of the site. */
    validFrom: civilDay().optional(),
    /** The last day on which it runs. */
    validUntil: civilDay().optional(),
    /** On the holidays of the site. */
    onHolidays: z.enum(['skip', 'run', 'only']).default('skip'),
    /**
     * What becomes of runs that were missed, such as while no process was running: the last one is made good; none is; all are, 100 at
     * most.
     */
    missedRuns: z.enum(['latest', 'skip', 'all']).default('latest'),
    /** ms; a run that is later than this is not made good. An hour if left out. */
    catchUpMs: z.int().min(0).max(2_592_000_000).optional(),
    /** Which of the two times of a switch it is, where it is one of these. */
    switchTime: z.enum(['on', 'off']).optional(),
    /** Kept by the library, like all that follows. The site whose zone, place and holidays count. */
    classroom: objectId().optional(),
    /** Which worker looks for it first. */
    slot: z
      .int()
      .min(0)
      .max(slots - 1)
      .optional(),
    /** When it runs next; absent where it does not. */
    nextAt: z.date().optional(),
    /** The name of that run. */
    nextKey: z.string().max(40).optional(),
    /** What `nextAt` was computed by: the zone and its rules, the place and the holidays. */
    basis: z.string().max(200).optional(),
    /** Why it does not run, where that is not what it says itself. */
    stoppedReason: z.string().max(500).optional(),
    /** The run that was done last. */
    lastRun: z
      .strictObject({
        /** The name of the run. */
        key: z.string().max(40),
        /** When it was due. */
        dueAt: z.date(),
        /** When it was done. */
        doneAt: z.date(),
      })
      .optional(),
    /** Runs that were missed and not made good. */
    missed: z
      .strictObject({
        /** How many. */
        count: z.int().min(0),
        /** When the last of them was due. */
        lastDueAt: z.date(),
      })
      .optional(),
    /** Why the last attempt of the present run failed. */
    lastError: z.string().max(500).optional(),
  },
  managed: [
    'switchTime',
    'classroom',
    'slot',
    'nextAt',
    'nextKey',
    'basis',
    'stoppedReason',
    'lastRun',
    'missed',
    'lastError',
  ],
  privileged: ['owner'],
  // Whoever may change a schedule could move what is not theirs.
  immutable: ['target'],
  indexes: [
    { key: { slot: 1, nextAt: 1, _id: 1 }, serves: 'workers, which take what is due' },
    { key: { classroom: 1, basis: 1 }, serves: 'schedules whose site has changed; the schedules of a site' },
    { key: { 'target.id': 1, _id: 1 }, serves: 'the schedules of a switch, device or classroom' },
    {
      key: { 'target.id': 1, switchTime: 1 },
      unique: true,
      partialFilterExpression: { switchTime: { $gt: '' } },
      serves: 'the two times of a switch',
    },
    { key: { owner: 1, name: 1, _id: 1 }, serves: 'the schedules of a user by name' },
  ],
})

export type Schedule = Stored<typeof scheduleEntity>
export type ScheduleInput = Input<typeof scheduleEntity>
