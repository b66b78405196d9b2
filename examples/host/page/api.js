import { toast } from './toast.js'

/** Asks the host to do something. @returns what it answered; undefined if it did not work, and then the page has said so. */
export function post(path, body = {}) {
  const headers = { 'content-type': 'application/json' }
  return ask(path, { method: 'POST', headers, body: JSON.stringify(body) })
}

/** Reads something of the host's. @returns as {@link post}. */
export function get(path) {
  return ask(path, {})
}

async function ask(path, request) {
  try {
    const response = await fetch(`/api/${path}`, request)
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
