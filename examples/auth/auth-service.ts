// People who register, sign in and look after their sessions, over HTTP. Answers are the same whether an address is known or not.
import { type AutoVolt, BusyError, ConflictError, DatabaseError, userEntity, validateData } from '@autovolt/data'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { z } from 'zod'

/** Sends a mail; what fails is the mailer's to repeat. */
export type SendMail = (to: string, text: string) => Promise<void>

const statusOf: Readonly<Record<string, number>> = {
  VALIDATION: 400,
  TOKEN_REFUSED: 400,
  NOT_FOUND: 404,
  SIGN_IN_REFUSED: 401,
  BUSY: 503,
}
const registration = z.strictObject({ email: z.unknown(), name: z.unknown(), password: z.string() })
const credentials = z.strictObject({ email: z.string(), password: z.string() })
const address = z.strictObject({ email: z.string() })
const mailed = z.strictObject({ token: z.string() })
const newPassword = z.strictObject({ token: z.string(), password: z.string() })
const refreshing = z.strictObject({ refreshToken: z.string() })

function bodyOf<Body extends object>(request: FastifyRequest, schema: z.ZodType<Body>): Body {
  return validateData(schema, request.body as object, 'The body')
}

export function authService(volt: AutoVolt, send: SendMail): FastifyInstance {
  const app = Fastify({ bodyLimit: 16_384 })
  /** After the answer, so that its time shows nothing. */
  const later = (work: () => Promise<unknown>) => void work().catch((error: unknown) => app.log.error(error))
  const clientOf = ({ ip, headers }: FastifyRequest) => ({ ip, userAgent: headers['user-agent'] })
  const tokenOf = ({ headers }: FastifyRequest) => headers.authorization?.replace(/^Bearer /, '') ?? ''

  async function signedIn(request: FastifyRequest) {
    const found = await volt.sessions.find(tokenOf(request))
    if (found === null) throw Object.assign(new Error('Sign in first'), { statusCode: 401 })
    return found
  }

  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof BusyError) reply.header('retry-after', Math.ceil(error.retryAfterMs / 1000))
    if (error instanceof DatabaseError && statusOf[error.code] !== undefined)
      return reply.code(statusOf[error.code] ?? 500).send(error.toJSON())
    const status = Number((error as { statusCode?: number }).statusCode ?? 500)
    if (status >= 500) app.log.error(error)
    return reply.code(status).send({ message: status >= 500 ? 'Something went wrong' : (error as Error).message })
  })

  async function sendVerification(email: string) {
    const request = await volt.signIn.requestEmailVerification(email)
    if (request !== null) await send(request.email, `Your address is verified by: ${request.token}`)
  }

  app.post('/register', async (request, reply) => {
    const input = validateData(userEntity.requestSchema, bodyOf(request, registration), 'The user')
    try {
      const { email } = await volt.users.create({ ...input, status: 'pending' })
      later(() => sendVerification(email))
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
      later(() => send(input.email, 'Somebody wanted to register with your address. You have an account already.'))
    }
    return reply.code(202).send()
  })

  app.post('/verify', async (request, reply) => {
    const { _id, status } = await volt.signIn.verifyEmail(bodyOf(request, mailed).token)
    if (status === 'pending') await volt.users.update(_id, { status: 'active' })
    return reply.code(204).send()
  })

  app.post('/sign-in', async (request) => {
    const { email, password } = bodyOf(request, credentials)
    const { token, refreshToken, session } = await volt.signIn.withPassword(email, password, clientOf(request))
    return { token, refreshToken, expiresAt: session.expiresAt }
  })

  app.post('/refresh', async (request, reply) => {
    const refreshed = await volt.sessions.refresh(bodyOf(request, refreshing).refreshToken)
    if (refreshed === null) return reply.code(401).send({ message: 'Sign in again' })
    const { token, refreshToken, session } = refreshed
    return { token, refreshToken, expiresAt: session.expiresAt }
  })

  app.post('/sign-out', async (request, reply) => {
    await volt.sessions.end(tokenOf(request))
    return reply.code(204).send()
  })

  app.post('/sign-out-everywhere', async (request) => {
    const { user } = await signedIn(request)
    return { ended: await volt.as(user).sessions.revokeAll(user._id) }
  })

  app.post('/forgot', async (request, reply) => {
    const { email } = bodyOf(request, address)
    later(async () => {
      const reset = await volt.signIn.requestPasswordReset(email)
      if (reset !== null) await send(reset.email, `A new password is set with: ${reset.token}`)
    })
    return reply.code(202).send()
  })

  app.post('/reset', async (request, reply) => {
    const { token, password } = bodyOf(request, newPassword)
    await volt.signIn.resetPassword(token, password)
    return reply.code(204).send()
  })

  app.get('/sessions', async (request) => {
    const { user, session } = await signedIn(request)
    const sessions = await volt.as(user).sessions.list(user._id)
    return sessions.map((one) => ({ ...one, isThis: one._id.equals(session._id) }))
  })

  app.delete<{ Params: { id: string } }>('/sessions/:id', async (request, reply) => {
    const { user } = await signedIn(request)
    await volt.as(user).sessions.revoke(user._id, request.params.id)
    return reply.code(204).send()
  })

  app.get('/devices', async (request) => {
    const { user } = await signedIn(request)
    return volt.as(user).devices.find({}, { select: ['name', 'status', 'classroom'], sort: { name: 1 } })
  })

  return app
}
