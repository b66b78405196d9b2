// Signs in, shows tokens and refreshes them when the test says so, as many at once as it is given.
import { AutoVolt } from '@autovolt/data'
import { onParentMessage, tellParent } from '../../support/parent.js'

const { MONGODB_URI = '', DB_NAME = '', MAXIMUM = '20' } = process.env
const volt = await AutoVolt.open({
  uri: MONGODB_URI,
  dbName: DB_NAME,
  passwords: { rounds: 10 },
  // As long as can be: on a busy machine eight processes take their time.
  sessions: { maximumPerUser: Number(MAXIMUM), graceMs: 60_000 },
})
await volt.health()

onParentMessage('sign in', async ({ email, password, times }) => {
  const attempts = Array.from({ length: Number(times) }, () =>
    volt.signIn.withPassword(String(email), String(password)),
  )
  tellParent({ type: 'signed in', tokens: (await Promise.all(attempts)).map(({ token }) => token) })
})

onParentMessage('refresh', async ({ token, times }) => {
  const attempts = Array.from({ length: Number(times) }, () => volt.sessions.refresh(String(token)))
  const answers = await Promise.all(attempts)
  tellParent({ type: 'refreshed', tokens: answers.map((answer) => answer?.token ?? null) })
})

/** One after the other, each with the token that the one before has given, until there is none. */
onParentMessage('go on', async ({ token, times }) => {
  let refreshToken = String(token)
  const tokens: string[] = []
  for (let count = 0; count < Number(times); count += 1) {
    const answer = await volt.sessions.refresh(refreshToken)
    if (answer === null) break
    refreshToken = answer.refreshToken
    tokens.push(answer.token)
  }
  tellParent({ type: 'went on', tokens, refreshToken })
})

onParentMessage('enter', async ({ identity, times }) => {
  const attempts = Array.from({ length: Number(times) }, () =>
    volt.signIn.withProvider(identity as { provider: string; providerId: string }),
  )
  const answers = await Promise.allSettled(attempts)
  tellParent({
    type: 'entered',
    tokens: answers.map((answer) =>
      answer.status === 'fulfilled' ? answer.value.user._id.toHexString() : String(answer.reason),
    ),
  })
})

/** Users with the addresses, at once: the id of one that was made, and the error of one that was not. */
onParentMessage('register', async ({ emails }) => {
  const answers = await Promise.allSettled(
    (emails as string[]).map((email) => volt.users.create({ email, name: 'Asha Rao' })),
  )
  const tokens = answers.map((answer) =>
    answer.status === 'fulfilled'
      ? { id: answer.value._id.toHexString() }
      : { code: answer.reason.code, fields: answer.reason.fields },
  )
  tellParent({ type: 'registered', tokens })
})

onParentMessage('find', async ({ token }) => {
  tellParent({ type: 'found', isThere: (await volt.sessions.find(String(token))) !== null })
})

onParentMessage('revoke', async ({ user }) => {
  tellParent({ type: 'revoked', count: await volt.sessions.revokeAll(String(user)) })
})
tellParent({ type: 'ready' })
