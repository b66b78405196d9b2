import { describe, expect, it } from 'vitest'
import { ConflictError, DatabaseError } from '../../src/core/errors.js'
import { isolateFailingMessage } from '../../src/ingestion/isolate-failing-message.js'
import type { Decoded } from '../../src/ingestion/pipeline.js'

const messages = (...topics: string[]): Decoded[] =>
  topics.map((topic) => ({
    message: { topic, payload: Buffer.alloc(0), receivedAt: new Date() },
    decoding: { reports: [] },
  }))

/** Stores batches in a list, unless `refuse` throws. */
function openStore(refuse: (batch: readonly Decoded[]) => void) {
  const stored: string[] = []
  const calls: number[] = []
  const process = async (batch: readonly Decoded[]) => {
    calls.push(batch.length)
    const open = batch.filter(({ decoding }) => 'reports' in decoding)
    if (open.length > 0) refuse(open)
    stored.push(...batch.map(({ message, decoding }) => `${message.topic}${'reports' in decoding ? '' : ' refused'}`))
  }
  return { stored, calls, process }
}

const topicsOf = (batch: readonly Decoded[]) => batch.map(({ message }) => message.topic)

describe('a batch that fails', () => {
  it('is taken without the message that is why', async () => {
    const { stored, process } = openStore((batch) => {
      if (topicsOf(batch).includes('c')) throw new DatabaseError('DATABASE', 'too large')
    })
    await isolateFailingMessage(messages('a', 'b', 'c', 'd', 'e'), process)
    expect(stored).toEqual(['a', 'b', 'c refused', 'd', 'e'])
  })

  it('is handed on as a whole where the environment is the cause', async () => {
    const { stored, calls, process } = openStore(() => {
      throw new DatabaseError('CONNECTION', 'gone')
    })
    await expect(isolateFailingMessage(messages('a', 'b', 'c'), process)).rejects.toMatchObject({ code: 'CONNECTION' })
    expect([stored, calls]).toEqual([[], [3]])
  })

  it('is taken in parts where it is too much at once, and refused for that never', async () => {
    let most = 2
    const { stored, process } = openStore((batch) => {
      if (batch.length > most) throw new DatabaseError('TIMEOUT', 'too slow')
    })
    await isolateFailingMessage(messages('a', 'b', 'c', 'd', 'e'), process)
    expect(stored).toEqual(['a', 'b', 'c', 'd', 'e'])
    most = 0
    await expect(isolateFailingMessage(messages('f', 'g'), process)).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(stored).toHaveLength(5)
  })

  it('is tried once more where another process was in the way', async () => {
    let conflicts = 1
    const { stored, process } = openStore(() => {
      conflicts -= 1
      if (conflicts >= 0) throw new ConflictError('CONFLICT', 'there is already one')
    })
    await isolateFailingMessage(messages('a'), process)
    expect(stored).toEqual(['a'])
  })

  it('fails again where the refusal cannot be stored either', async () => {
    const process = async () => {
      throw new DatabaseError('DATABASE', 'a number that nobody knows')
    }
    await expect(isolateFailingMessage(messages('a'), process)).rejects.toMatchObject({ code: 'DATABASE' })
  })
})
