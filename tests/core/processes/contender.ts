import { AutoVolt } from '../../../src/autovolt.js'
import { Lease } from '../../../src/core/lease.js'
import { keyRing } from '../../support/builders.js'
import { onParentMessage, tellParent } from '../../support/parent.js'

const [number = '0'] = process.argv.slice(2)
const uri = process.env.MONGODB_URI ?? ''
const dbName = process.env.DB_NAME ?? ''
const volt = await AutoVolt.open({ uri, dbName, keys: keyRing('first') })
const leases = new Map<string, Lease>()

function leaseNamed(name: string, durationMs: number): Lease {
  const lease = leases.get(name) ?? new Lease(volt.database, { name, durationMs })
  leases.set(name, lease)
  return lease
}

const jobs: Readonly<Record<string, (argument: string) => Promise<unknown>>> = {
  setup: () => volt.setup(),
  upsert: async (name) => {
    const secret = `the secret of ${number}, long enough`
    const device = { name, macAddress: 'AA:BB:CC:DD:EE:FF', classroom: '65f000000000000000000000' }
    const withSecret = await volt.devices.upsert({ macAddress: device.macAddress }, { ...device, secret })
    const plain = await volt.classrooms.upsert({ name }, { name, floor: Number(number) })
    return { device: withSecret._id, classroom: plain._id }
  },
  acquire: async (name) => {
    const lease = leaseNamed(name, 60_000)
    return (await lease.acquire()) ? lease.fence : null
  },
}

onParentMessage('do', async ({ job, argument }) => {
  try {
    tellParent({ type: 'done', number, result: await jobs[String(job)]?.(String(argument)) })
  } catch (error) {
    tellParent({ type: 'done', number, error: String(error) })
  }
})
tellParent({ type: 'ready' })
