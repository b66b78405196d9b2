// Checked by the compiler alone: what the types of access allow and refuse.
import { AutoVolt, defaultAccessRules, userEntityWithRoles } from '@autovolt/data'

const where = { uri: 'mongodb://localhost', dbName: 'types' }
const rule = { entity: 'devices', action: 'read', scope: 'all' } as const

export async function rolesOfOurOwn(): Promise<void> {
  const volt = await AutoVolt.open({ ...where, access: { rules: [...defaultAccessRules, { ...rule, role: 'user' }] } })
  // @ts-expect-error: no user has this role
  await AutoVolt.open({ ...where, access: { rules: [{ ...rule, role: 'resident' }] } })

  const bound = volt.as('65f000000000000000000001')
  const page = await bound.devices.page({ name: 'Lamp' }, { select: ['name'] })
  page.items[0]?.name satisfies string | undefined
  // @ts-expect-error: only what was selected is there
  page.items[0]?.switches
  // @ts-expect-error: a bound repository has no model
  bound.devices.model
  // @ts-expect-error: what the library alone writes cannot be created by anybody
  bound.auditLog.create
  // @ts-expect-error: nobody's secrets are revealed
  bound.devices.revealDeviceSecret
  const list = await bound.tariffs.find()
  list[0]?.pricePerKwh satisfies number | undefined
  const report = bound.analytics.costs({ from: '2026-03-01', to: '2026-03-02', by: 'day' })
  report satisfies Promise<unknown>
}

export async function rolesOfAHost(): Promise<void> {
  const users = userEntityWithRoles(['resident', 'manager'])
  const volt = await AutoVolt.open({
    ...where,
    entities: { users },
    access: { rules: [{ ...rule, role: 'resident' }] },
  })
  const [user] = await volt.as('65f000000000000000000001').users.find()
  user?.role satisfies 'resident' | 'manager' | undefined
  // @ts-expect-error: the host's users have no such role
  await AutoVolt.open({ ...where, entities: { users }, access: { rules: [{ ...rule, role: 'student' }] } })
}
