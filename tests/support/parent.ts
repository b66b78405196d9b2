import type { ChildMessage } from './inbox.js'

/** Tells the test that started this process. */
export function tellParent(message: ChildMessage): void {
  if (process.send === undefined) throw new Error('This file is to be run by startChild of tests/support/child.ts')
  process.send(message)
}

/** Calls the function for each message of the type that the test sends. */
export function onParentMessage(type: string, handle: (message: ChildMessage) => void | Promise<void>): void {
  process.on('message', (message: ChildMessage) => {
    if (message.type === type) void handle(message)
  })
}
