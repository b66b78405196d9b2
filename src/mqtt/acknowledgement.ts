/** PUBACK packets (MQTT 3.1.1, section 3.4) for these packet ids, in order, as one piece. */
export function pubacks(packetIds: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(packetIds.length * 4)
  for (const [at, packetId] of packetIds.entries()) {
    bytes.writeUInt16BE(0x4002, at * 4)
    bytes.writeUInt16BE(packetId, at * 4 + 2)
  }
  return bytes
}
