import { ObjectId } from 'mongodb'
import { badFormat, type Catalogue, extra, missing, outOfRange, tooLong, wrongType } from './bad-documents.js'

export const deviceLogs: Catalogue = {
  good: () => ({
    device: new ObjectId(),
    kind: 'rebooted',
    level: 'info',
    message: 'It started again.',
    details: { boot: 'b-2' },
    at: new Date(),
    key: `rebooted:${new ObjectId().toHexString()}`,
  }),
  bad: [
    wrongType('_id', 'an id'),
    wrongType('device', 5),
    missing('device'),
    wrongType('kind', 5),
    badFormat('kind', 'Has rebooted'),
    missing('kind'),
    badFormat('level', 'loud'),
    missing('level'),
    wrongType('message', 5),
    tooLong('message', 1_001),
    wrongType('details', 'none'),
    wrongType('at', 'now'),
    missing('at'),
    wrongType('key', 5),
    outOfRange('key', ''),
    tooLong('key', 201),
    missing('key'),
    extra('colour'),
  ],
}
