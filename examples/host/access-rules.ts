import { type AccessOptions, defaultAccessRules, type UserRole } from '@autovolt/data'

/** The rules of the library, and that neighbours and those who run the school may look at the market. */
export const access: AccessOptions<UserRole> = {
  rules: [
    ...defaultAccessRules,
    { role: 'user', entity: 'market', action: 'use', scope: 'all' },
    { role: 'admin', entity: 'market', action: 'use', scope: 'all' },
  ],
}
