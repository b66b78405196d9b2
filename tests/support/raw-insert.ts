import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { BSON, MongoClient } from 'mongodb'

const opMsg = 2013

/**
 * Inserts documents in the bytes in which they are given, past every driver, as whoever may write to the database can: fields
 * that are there twice, texts that are no UTF-8. Validation is bypassed.
 */
export async function insertRaw(
  uri: string,
  dbName: string,
  collection: string,
  documents: readonly Buffer[],
): Promise<void> {
  const socket = await connectToPrimary(uri)
  try {
    socket.write(message({ insert: collection, $db: dbName, bypassDocumentValidation: true }, documents))
    const reply = await replyOn(socket)
    if (reply.ok !== 1 || reply.writeErrors !== undefined) throw new Error(JSON.stringify(reply))
  } finally {
    socket.destroy()
  }
}

async function connectToPrimary(uri: string): Promise<Socket> {
  await using client = new MongoClient(uri)
  const { primary } = await client.db('admin').command({ hello: 1 })
  const [host = '', port = ''] = String(primary).split(':')
  const socket = connect(Number(port), host)
  await once(socket, 'connect')
  return socket
}

/** An OP_MSG with the documents in a sequence of their own. */
function message(command: object, documents: readonly Buffer[]): Buffer {
  const sequence = Buffer.concat([Buffer.from('documents\0'), ...documents])
  const body = Buffer.concat([
    Buffer.alloc(4),
    Buffer.of(0),
    BSON.serialize(command),
    Buffer.of(1),
    int32(sequence.length + 4),
    sequence,
  ])
  return Buffer.concat([int32(16 + body.length), int32(1), int32(0), int32(opMsg), body])
}

async function replyOn(socket: Socket): Promise<BSON.Document> {
  let bytes = Buffer.alloc(0)
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk as Buffer])
    if (bytes.length >= 4 && bytes.length >= bytes.readInt32LE(0)) return BSON.deserialize(bytes.subarray(21))
  }
  throw new Error('The server has closed the connection')
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}
