import { post } from './api.js'
import { byId, element, setText } from './dom.js'
import { ago, showTimesIn } from './format.js'
import { showWhatIsFor } from './shell.js'

/** Shows who is looking, and lets others sign in. @returns who it is; null for nobody. */
export async function showPeople() {
  const { me, people, password, timeZone } = await (await fetch('/api/me')).json()
  showTimesIn(timeZone)
  setText(byId('time-zone'), `times of ${timeZone}`)
  setText(byId('me'), me === null ? 'Nobody is signed in.' : `You are ${me.name} (${me.role}).`)
  setText(byId('me-password'), password)
  byId('people').replaceChildren(
    ...people.map(({ email, name, role, rooms, home }) =>
      element(
        'li',
        {},
        element(
          'button',
          { type: 'button', 'data-sign-in': role, onclick: () => signIn(email, password, home) },
          `Sign in as ${name}`,
        ),
        element('span', { class: 'note' }, ` ${email}: ${whatOf(role, rooms)}`),
      ),
    ),
  )
  byId('sign-out').hidden = me === null
  if (me !== null) await showSessions()
  byId('sign-out').addEventListener('click', () => then(post('sign-out')))
  showWhatIsFor(me)
  for (const node of document.querySelectorAll('[data-for=member]')) node.hidden = me === null
  return me
}

/** The sessions of who is looking; each other one can be ended from here. */
async function showSessions() {
  const sessions = await (await fetch('/api/sessions')).json()
  const others = byId('sign-out-others')
  others.hidden = sessions.length < 2
  others.onclick = () => thenSessions(post('sessions/end-others'))
  byId('sessions').replaceChildren(
    ...sessions.map(({ id, userAgent, ip, lastUsedAt, isThis }) =>
      element(
        'li',
        { 'data-session': isThis ? 'this' : 'other' },
        isThis
          ? 'This page '
          : element(
              'button',
              { type: 'button', onclick: () => thenSessions(post('sessions/end', { session: id })) },
              'End',
            ),
        element(
          'span',
          { class: 'note' },
          ` ${userAgent ?? 'an unknown program'} at ${ip ?? 'an unknown address'}, used ${ago(lastUsedAt)}`,
        ),
      ),
    ),
  )
}

async function thenSessions(answer) {
  if ((await answer) !== undefined) await showSessions()
}

/** Who has another page at home goes there. */
async function signIn(email, password, home) {
  if ((await post('sign-in', { email, password })) === undefined) return
  if (home === undefined) location.reload()
  else location.assign(home)
}

/** The page begins anew with what the other may see. */
async function then(answer) {
  if ((await answer) !== undefined) location.reload()
}

function whatOf(role, rooms) {
  if (role === 'admin') return 'sees and switches everything'
  if (role === 'user') return 'buys and sells energy in the neighbourhood'
  const where = rooms.join(' and ')
  return role === 'faculty' ? `sees and switches ${where}` : `sees ${where}, switches nothing`
}
