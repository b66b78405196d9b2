import { type AutoVolt, validateData } from '@autovolt/data'
import { z } from 'zod'
import { ofMember } from '../fleet-routes.js'
import type { Route } from '../http/router.js'
import type { LiveFeeds } from '../live-feeds.js'
import { type Troubles, troubleKinds } from '../simulator/troubles.js'
import { readAlertCurve, readCasePage } from '../views/case-page.js'
import type { Visitor } from '../visitors.js'
import { CaseChanges } from './case-changes.js'

export interface IncidentParts {
  readonly volt: AutoVolt
  readonly feeds: LiveFeeds
  readonly troubles: Troubles
}

const causing = z.strictObject({ kind: z.enum(troubleKinds) })

/** The API of the incident desk: what a visitor sees and changes is what `volt.as(user)` shows. */
export function incidentRoutes({ volt, feeds, troubles }: IncidentParts): Route[] {
  const changes = new CaseChanges(volt)
  const changing = (path: string, change: (visitor: Visitor, body: unknown) => Promise<void>) =>
    ofMember('POST', path, async (visitor, _, body) => {
      await change(visitor, body)
      await feeds.refresh('incidents')
    })
  return [
    ofMember('GET', 'incidents/case', (visitor, { query }) => readCasePage(volt, visitor, query.get('id') ?? '')),
    ofMember('GET', 'incidents/curve', (visitor, { query }) => readAlertCurve(volt, visitor, query.get('alert') ?? '')),
    ofMember('GET', 'incidents/kinds', () => troubleKinds),
    changing('incidents/acknowledge', (...given) => changes.acknowledge(...given)),
    changing('incidents/take', (...given) => changes.take(...given)),
    changing('incidents/move', (...given) => changes.move(...given)),
    changing('incidents/comment', (...given) => changes.comment(...given)),
    {
      method: 'POST',
      path: '/api/incidents/cause',
      handle: (body) => ({ device: troubles.cause(validateData(causing, body, 'The request').kind) }),
    },
  ]
}
