import { DatabaseError } from '../core/errors.js'

export type MemoryServer = Awaited<ReturnType<typeof loadMemoryServer>>

/** Loads the optional peer that starts and stops `mongod`; throws with what to install where it is missing. */
export async function loadMemoryServer() {
  try {
    return await import('mongodb-memory-server-core')
  } catch (cause) {
    throw new DatabaseError(
      'CONFIGURATION',
      'mongodb-memory-server-core cannot be loaded; install it: npm install --save-dev mongodb-memory-server-core',
      { cause },
    )
  }
}
