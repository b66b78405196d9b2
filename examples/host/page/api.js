import { toast } from './toast.js'

/** Asks the host to do something. @returns what it answered; undefined if it did not work, and then the page has said so. */
export async function post(path, body = {}) {
  try {
    const response = await fetch(`/api/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const answer = await response.json()
    if (response.ok) return answer
    toast(answer.error)
  } catch {
    toast('The host app does not answer.')
  }
  return undefined
}

/** Makes a button do something, and keeps it from being pressed again meanwhile. */
export function onPress(button, work) {
  button.addEventListener('click', async () => {
    button.disabled = true
    try {
      await work()
    } finally {
      button.disabled = false
    }
  })
}
