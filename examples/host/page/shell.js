import { byId, setAttribute, setText } from './dom.js'
import { showTimesIn } from './format.js'

/**
 * Begins a page beside the first one: times in the site's zone, and what is only for those who run the school.
 * @param isFor Whether the page is for somebody who has signed in.
 * @returns who is looking; null for who has nothing to see here, and then the page says so.
 */
export async function beginPage(main, isFor, otherwise) {
  const { me, timeZone } = await (await fetch('/api/me')).json()
  showTimesIn(timeZone)
  setText(byId('time-zone'), `times of ${timeZone}`)
  const isWelcome = me !== null && isFor(me)
  showWhatIsFor(me)
  setText(byId('gate-text'), me === null ? 'Nobody is signed in.' : `You are ${me.name}. ${otherwise}`)
  byId('gate').hidden = isWelcome
  main.hidden = !isWelcome
  return isWelcome ? me : null
}

/** Shows what is for who is looking. */
export function showWhatIsFor(me) {
  document.body.dataset.role = me === null ? 'nobody' : me.isOperator ? 'operator' : 'member'
  for (const node of document.querySelectorAll('[data-for=operator]')) node.hidden = me?.isOperator !== true
}

/** Listens to the news of the host. @param shows What to do with each kind of news, by its name. */
export function listen(shows) {
  const live = new EventSource('/api/live')
  const all = { problem: showProblem, ...shows }
  for (const [name, show] of Object.entries(all)) live.addEventListener(name, ({ data }) => show(JSON.parse(data)))
  live.addEventListener('open', () => connected('live', 'good'))
  live.addEventListener('error', () => connected('the host app is gone', 'bad'))
}

function showProblem(problem) {
  byId('outage').hidden = problem === null
  setText(byId('outage'), problem?.message ?? '')
}

function connected(text, mood) {
  setText(byId('chip-live'), text)
  setAttribute(byId('chip-live'), 'data-mood', mood)
}
