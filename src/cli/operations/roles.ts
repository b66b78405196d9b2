import { open, rm } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { AutoVolt } from '../../autovolt.js'
import { DatabaseError } from '../../core/errors.js'
import { printable } from '../../core/printable.js'
import type { RoleReport } from '../../operations/roles/create-roles.js'
import type { CreatedUser } from '../../operations/roles/create-user.js'
import type { RoleDefinition, RolePurpose } from '../../operations/roles/role-definitions.js'
import { type CommandContext, exitCode } from '../command.js'
import { withHandle } from '../connection.js'

const options = {
  create: { type: 'boolean', default: false },
  script: { type: 'boolean', default: false },
  user: { type: 'string' },
  certificate: { type: 'string' },
  role: { type: 'string' },
  'password-file': { type: 'string' },
  json: { type: 'boolean', default: false },
} as const

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values']

export function runRoles(args: readonly string[], context: CommandContext): Promise<number> {
  return withHandle(args, context, {}, async (volt, rest) => {
    const { values } = parseArgs({ args: [...rest], options })
    const chosen = (['create', 'script', 'user', 'certificate'] as const).filter((name) => values[name])
    if (chosen.length > 1 || (values.role !== undefined && !values.user && !values.certificate))
      throw new DatabaseError(
        'CONFIGURATION',
        'Say one of --create, --script, --user and --certificate; --role is for the last two',
      )
    const { roles } = volt.operations
    if (values.user !== undefined || values.certificate !== undefined) return createUser(volt, values, context)
    if (values.script) {
      context.out.write(`${printable(scriptOf(roles.definitions()))}\n`)
      return exitCode.done
    }
    const reports = values.create ? await roles.create() : await roles.compare()
    const text = values.json ? JSON.stringify(reports, null, 2) : textOf(reports, values.create)
    context.out.write(`${printable(text)}\n`)
    return values.create || reports.every(({ state }) => state === 'same') ? exitCode.done : exitCode.wrong
  })
}

async function createUser({ operations }: AutoVolt, values: Values, context: CommandContext): Promise<number> {
  const { user, certificate, role, json, 'password-file': file } = values
  const purpose = requireRole(role)
  if (user === undefined) {
    if (file !== undefined) throw new DatabaseError('CONFIGURATION', 'A user with a certificate has no password')
    report(await operations.roles.createCertificateUser(certificate ?? '', purpose), json, context)
    return exitCode.done
  }
  const create = () => operations.roles.createUser(user, purpose)
  const created = file === undefined ? await create() : await intoFile(file, create)
  report(created, json, context)
  return exitCode.done
}

/** @throws DatabaseError `CONFIGURATION`; what it names is checked with the user. */
function requireRole(role: string | undefined): RolePurpose {
  if (role === undefined)
    throw new DatabaseError('CONFIGURATION', 'Say what the user is for: --role application, or another one of --help')
  return role as RolePurpose
}

/** The file is there before the user is: a password that cannot be written down would be lost. */
async function intoFile(path: string, create: () => Promise<CreatedUser>): Promise<CreatedUser> {
  const file = await open(path, 'wx', 0o600)
  try {
    const created = await create()
    await file.writeFile(`${created.password}\n`)
    await file.sync()
    return { ...created, password: null }
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await file.close()
  }
}

/** Nothing but the password on the standard output: it can be led into a store of secrets. */
function report(created: CreatedUser, json: boolean, { out, errors }: CommandContext): void {
  const { user, authSource, role, password } = created
  if (json) {
    out.write(`${JSON.stringify(created, null, 2)}\n`)
    return
  }
  errors.write(`${printable(`${user} was created with the role ${role}; it logs in with authSource=${authSource}`)}\n`)
  if (password !== null) out.write(`${password}\n`)
}

function textOf(reports: readonly RoleReport[], isDone: boolean): string {
  const width = Math.max(...reports.map(({ role }) => role.length))
  const verb = {
    same: 'as defined',
    missing: isDone ? 'created' : 'missing',
    different: isDone ? 'changed' : 'different',
  }
  return reports
    .map(({ role, state, serves }) => `${role.padEnd(width)}  ${verb[state].padEnd(10)}  ${serves}`)
    .join('\n')
}

/** For servers whose roles somebody else looks after. */
function scriptOf(definitions: readonly RoleDefinition[]): string {
  return [
    '// For mongosh, as somebody with userAdminAnyDatabase. Where a role is there already it is made as it is defined here.',
    "const admin = db.getSiblingDB('admin')",
    ...definitions.flatMap(({ role, serves, privileges }) => [
      '',
      `// ${serves}`,
      `{ const name = ${JSON.stringify(role)}, privileges = ${JSON.stringify(privileges)}`,
      '  admin.getRole(name) ? admin.updateRole(name, { privileges, roles: [] }) : admin.createRole({ role: name, privileges, roles: [] }) }',
    ]),
  ].join('\n')
}
