// What the service is told by its environment, checked before anything is opened.
import { validateData } from '@autovolt/data'
import { z } from 'zod'

const environmentSchema = z.object({
  MONGODB_URI: z.string().min(1).default('mongodb://localhost:27017/?replicaSet=rs0'),
  MONGODB_DB_NAME: z.string().min(1).default('school'),
  /** 32 random bytes in base64: `openssl rand -base64 32`. */
  AUTOVOLT_KEY: z.base64(),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
})
export type Configuration = z.output<typeof environmentSchema>

/** @throws ValidationError that names the variable, and never its value. */
export function configurationOf(environment: NodeJS.ProcessEnv): Configuration {
  return validateData(environmentSchema, environment, 'The environment')
}
