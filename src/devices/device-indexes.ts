import type { IndexDefinition } from '../core/index-definition.js'

export const deviceIndexes: readonly IndexDefinition[] = [
  {
    key: { macAddress: 1 },
    unique: true,
    partialFilterExpression: { macAddress: { $gt: '' } },
    serves: 'the device that a message names; a deleted one frees its address',
  },
  {
    key: { owner: 1, externalId: 1 },
    unique: true,
    partialFilterExpression: { externalId: { $gt: '' } },
    serves: 'the device of an owner by what its vendor calls it; a deleted one frees its id',
  },
  {
    key: { 'switches._id': 1 },
    unique: true,
    // An empty list would be in the index too, once for all devices.
    partialFilterExpression: { 'switches._id': { $exists: true } },
    serves: 'the one device of a switch, whose chain in the ledger it is',
  },
  {
    key: { 'switches.externalId': 1 },
    partialFilterExpression: { 'switches.externalId': { $gt: '' } },
    serves: 'the device of a switch by what an origin system calls it',
  },
  { key: { name: 1, _id: 1 }, serves: 'all devices by name' },
  { key: { classroom: 1, name: 1, _id: 1 }, serves: 'the devices of a classroom by name' },
  { key: { owner: 1, name: 1, _id: 1 }, serves: 'the devices of a user by name' },
  { key: { assignedUsers: 1, name: 1, _id: 1 }, serves: 'the devices that a user is assigned to, by name' },
  { key: { type: 1, name: 1, _id: 1 }, serves: 'the devices of a type by name' },
  { key: { status: 1, name: 1, _id: 1 }, serves: 'the devices with a status by name' },
  { key: { 'capabilities.name': 1, name: 1, _id: 1 }, serves: 'the devices with a capability by name' },
  { key: { energyRole: 1, name: 1, _id: 1 }, serves: 'the devices that consume, produce or store, by name' },
  { key: { lastSeenAt: 1, _id: 1 }, serves: 'devices that have not reported' },
  {
    key: { lastSeenAt: 1, status: 1 },
    partialFilterExpression: { status: 'online' },
    serves: 'devices that are believed to be online and are silent',
  },
  { key: { 'location.point': '2dsphere' }, serves: 'the devices around a place' },
  {
    key: { name: 'text', externalId: 'text', manufacturer: 'text', model: 'text', 'location.text': 'text' },
    serves: 'the devices that are described by a word',
  },
]
