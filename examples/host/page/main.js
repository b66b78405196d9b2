import { showBackups } from './backups.js'
import { showBell } from './bell.js'
import { showCommands } from './commands.js'
import { refreshDevicePage } from './device-page.js'
import { showDevices } from './devices.js'
import { byId, setAttribute, setText } from './dom.js'
import { showEnergy } from './energy.js'
import { showEvents } from './events.js'
import { followEnergy, setRooms } from './explore.js'
import { watts } from './format.js'
import { showIngestion } from './ingestion.js'
import { showLedger } from './ledger.js'
import { showPeople } from './people.js'
import { PowerChart } from './power-chart.js'
import { showQuarantine } from './quarantine.js'
import { showRollouts } from './rollouts.js'
import { showPower, showRooms } from './rooms.js'
import { setTargets, showSchedules } from './schedules.js'
import { listen } from './shell.js'

// What is hidden has no size that a chart could be drawn in.
const me = await showPeople()
byId('chip-incidents').hidden = me?.sees.incidents !== true
byId('chip-neighbourhood').hidden = me?.sees.neighbourhood !== true
// Lists that scroll can be reached, and scrolled, by the keyboard.
for (const id of ['messages', 'event-list', 'command-list']) byId(id).tabIndex = 0
let looking = null
const chart = new PowerChart(byId('chart'), (sample) => {
  looking = sample
  showPowerNow()
})

function showPowerNow() {
  const sample = looking ?? chart.series.last
  if (sample !== undefined) showPower(sample, looking !== null)
}

function showTotals({ watts: rooms }) {
  const sum = (values) => values.reduce((total, value) => total + value, 0)
  const produced = -sum(Object.values(rooms).filter((value) => value < 0))
  setText(byId('power-used'), watts(sum(Object.values(rooms).filter((value) => value > 0))))
  setText(byId('power-produced'), produced > 0 ? `and ${watts(produced)} produced` : '')
}

const shows = {
  history: (samples) => {
    chart.series.replace(samples)
    chart.draw()
  },
  power: (sample) => {
    if (sample.at !== chart.series.last?.at) chart.series.add(sample)
    chart.draw()
    showTotals(sample)
    showPowerNow()
  },
  classrooms: (rooms) => {
    chart.setRooms(rooms)
    showRooms(rooms)
    setTargets({ rooms })
    setRooms(rooms)
  },
  devices: (devices) => {
    showDevices(devices)
    setTargets({ devices })
    refreshDevicePage()
  },
  commands: (commands) => {
    showCommands(commands)
    refreshDevicePage()
  },
  schedules: (schedules) => {
    showSchedules(schedules, me)
    refreshDevicePage()
  },
  rollouts: showRollouts,
  bell: showBell,
  energy: (news) => {
    showEnergy(news)
    followEnergy(news.day.day)
  },
  events: showEvents,
  incidents: ({ alerts }) => {
    setText(byId('chip-incidents'), alerts.length === 0 ? 'no alerts' : `alerts ${alerts.length}`)
    setAttribute(byId('chip-incidents'), 'data-mood', alerts.length === 0 ? 'good' : 'bad')
  },
  quarantine: showQuarantine,
  ingestion: showIngestion,
  ledger: showLedger,
  backups: showBackups,
}

if (me !== null) listen(shows)
