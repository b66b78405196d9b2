import { type AutoVolt, type DeviceCommand, where } from '@autovolt/data'
import { hintOn } from './change-hints.js'
import type { Visitor } from './visitors.js'

const shown = 10

/** What a visitor has not read, and the newest notifications. */
export async function readBell({ id, volt }: Visitor) {
  const { count, isMore } = await volt.notifications.unreadCount(id)
  const newest = await volt.notifications.find({ user: id }, { sort: { _id: -1 }, limit: shown })
  return {
    unread: count,
    isMore,
    newest: newest.map(({ _id, title, body, severity, unread, createdAt }) => ({
      id: _id.toHexString(),
      title,
      body: body ?? null,
      severity,
      unread,
      at: createdAt,
    })),
  }
}

/** The commands that have not done what somebody asked for. */
const failed = { status: where.in(['failed', 'expired'] as const), 'requester.user': where.exists() }

/** Notifies people whose commands have failed; once, whatever number of processes does so. @returns how to end it. */
export function startNotices(volt: AutoVolt): () => Promise<void> {
  const ending = new AbortController()
  const { signal } = ending
  const running = hintOn(
    () => volt.commands.watch(failed, { signal }),
    ({ document }) => void (document && notify(volt, document).catch(() => undefined)),
    signal,
  )
  return async () => {
    ending.abort()
    await running
  }
}

async function notify(volt: AutoVolt, command: DeviceCommand): Promise<void> {
  const { _id, requester, device, status, reason, detail } = command
  if (requester?.user === undefined) return
  const name = (await volt.devices.findOne({ _id: device }))?.name ?? 'a device that is gone'
  volt.notifications.post({
    user: requester.user,
    kind: 'command_failed',
    severity: 'warning',
    title: `${name} did not ${command.command.replaceAll('_', ' ')}`,
    body: detail ?? reason ?? status,
    about: { entity: 'device', id: device },
    deduplicationKey: `command:${_id.toHexString()}`,
  })
}
