import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { MongoClient } from 'mongodb'
import { expect, it } from 'vitest'
import { AutoVolt } from '../../src/autovolt.js'
import { cleanUpLater } from '../support/clean-up.js'
import { startMongodProcess } from '../support/mongod-process.js'
import { openVolt } from '../support/volt.js'

const run = promisify(execFile)

interface Certificates {
  readonly authority: string
  /** Key and certificate in one file, as mongod and the driver take them. */
  readonly issue: (name: string, subject: string, more?: string) => Promise<string>
}

/** An authority of certificates, by the program openssl. */
async function makeAuthority(folder: string): Promise<Certificates> {
  const file = (name: string) => join(folder, name)
  const openssl = (...args: readonly string[]) => run('openssl', args)
  const key = ['-newkey', 'rsa:2048', '-nodes']
  await openssl(
    'req',
    '-x509',
    ...key,
    '-days',
    '2',
    '-subj',
    '/CN=authority',
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.pem'),
  )
  const issue = async (name: string, subject: string, more = '') => {
    await openssl('req', ...key, '-subj', subject, '-keyout', file(`${name}.key`), '-out', file(`${name}.csr`))
    await writeFile(file(`${name}.ext`), more)
    const signing = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '2']
    await openssl(
      'x509',
      '-req',
      '-in',
      file(`${name}.csr`),
      ...signing,
      '-extfile',
      file(`${name}.ext`),
      '-out',
      file(`${name}.crt`),
    )
    const both = await Promise.all([readFile(file(`${name}.key`)), readFile(file(`${name}.crt`))])
    await writeFile(file(`${name}.pem`), Buffer.concat(both), { mode: 0o600 })
    return file(`${name}.pem`)
  }
  return { authority: file('ca.pem'), issue }
}

it('encrypts the connection, and lets a user in by its certificate', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'autovolt-tls-'))
  cleanUpLater(() => rm(folder, { recursive: true }))
  const { authority, issue } = await makeAuthority(folder)
  const server = await issue('server', '/O=Servers/CN=mongod', 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
  const metrics = await issue('metrics', '/O=School/OU=Services/CN=metrics')
  const stranger = await issue('stranger', '/O=School/OU=Services/CN=stranger')
  const keyFile = join(folder, 'keyfile')
  await writeFile(keyFile, randomBytes(96).toString('base64'), { mode: 0o600 })
  const tls = ['--tlsMode', 'requireTLS', '--tlsCertificateKeyFile', server, '--tlsCAFile', authority]
  const byCertificateOrNot = ['--tlsAllowConnectionsWithoutCertificates']
  const uriOptions = `tls=true&tlsCAFile=${encodeURIComponent(authority)}`
  const { uri, port } = await startMongodProcess({
    args: ['--auth', '--keyFile', keyFile, ...tls, ...byCertificateOrNot],
    uriOptions,
  })
  const dbName = 'school'
  const first = new MongoClient(uri)
  await first.db('admin').command({ createUser: 'owner', pwd: 'a-password', roles: ['root'] })
  await first.close()

  const owner = await openVolt({ uri: uri.replace('mongodb://', 'mongodb://owner:a-password@'), dbName })
  await owner.setup()
  await owner.operations.roles.create()
  const subject = (await run('openssl', ['x509', '-in', metrics, '-noout', '-subject', '-nameopt', 'RFC2253'])).stdout
    .trim()
    .replace(/^subject=\s*/, '')
  expect(subject).toBe('CN=metrics,OU=Services,O=School')
  expect(await owner.operations.roles.createCertificateUser(subject, 'metrics')).toEqual({
    user: subject,
    authSource: '$external',
    role: 'autovolt_metrics_school',
    password: null,
  })

  const byCertificate = (file: string) =>
    `${uri}&tlsCertificateKeyFile=${encodeURIComponent(file)}&authMechanism=MONGODB-X509&authSource=%24external`
  const watching = await openVolt({ uri: byCertificate(metrics), dbName })
  const { findings } = await watching.operations.doctor()
  expect(findings.find(({ check }) => check === 'access control')).toMatchObject({
    message: `Logged in as ${subject}`,
  })
  await expect(watching.users.find({})).rejects.toMatchObject({ code: 'NOT_AUTHORIZED' })

  const short = { dbName, connectRetryMs: 500, serverSelectionTimeoutMs: 500 }
  await expect(AutoVolt.open({ uri: byCertificate(stranger), ...short })).rejects.toMatchObject({
    code: 'NOT_AUTHORIZED',
  })
  // Without TLS, and with an authority that has not signed the server's certificate, there is no connection.
  const plain = `mongodb://127.0.0.1:${port}/?directConnection=true`
  await expect(AutoVolt.open({ uri: plain, ...short })).rejects.toMatchObject({ code: 'CONNECTION' })
  await expect(AutoVolt.open({ uri: `${plain}&tls=true`, ...short })).rejects.toMatchObject({ code: 'CONNECTION' })
}, 180_000)
