// Tries passwords, when the test says so, as many at once as it is given.
import { AutoVolt, SignInError } from '@autovolt/data'
import { onParentMessage, tellParent } from '../../support/parent.js'

const { MONGODB_URI = '', DB_NAME = '' } = process.env
const volt = await AutoVolt.open({ uri: MONGODB_URI, dbName: DB_NAME, passwords: { rounds: 10 } })
await volt.health()

onParentMessage('try', async ({ email, passwords }) => {
  const outcomes = await Promise.all(
    (passwords as string[]).map((password) =>
      volt.signIn.withPassword(String(email), password).then(
        () => 'in',
        (error: unknown) => (error instanceof SignInError ? error.reason : String(error)),
      ),
    ),
  )
  tellParent({ type: 'tried', outcomes })
})
tellParent({ type: 'ready' })
