import type { AdoptionContext } from './context.js'
import type { CollectionAdoption } from './report.js'

/** What a person has to know of an adoption, or to decide, each with what to do next. */
export function remarksOf(context: AdoptionContext, collections: readonly CollectionAdoption[]): string[] {
  const { origin, tally, store } = context
  const { system } = origin.mapping
  const has = (name: string) =>
    collections.some(({ collection, documents }) => collection === origin.nameOf(name) && documents > 0)
  const left = collections.reduce((sum, one) => sum + one.left, 0)
  const differing = tally.days.filter((one) => one.differing > 0)
  const inLedger = tally.wholeDevices.length
  return [
    ...(store === undefined && left > 0
      ? [
          `${left} documents would be left. Next: look at the reasons, and correct in ${origin.name} what has to be adopted`,
        ]
      : []),
    ...(store !== undefined && left > 0
      ? [`${left} documents were left. Next: look at them in adoption_rejects, with kind "left"`]
      : []),
    ...differing.map(
      ({ collection, compared, differing: count }) =>
        `${collection}: ${count} of ${compared} days or months say another energy than what was used by the logs of the devices, which is what is kept. Next: look at them in adoption_days, with isSame false`,
    ),
    ...(tally.otherForms.size > 0
      ? [
          `In ${[...tally.otherForms].map((name) => origin.nameOf(name)).join(', ')} documents name devices or users by an id in another form than they have it, such as "5" for 5; they were taken as theirs. Next: nothing, if no others were meant`,
        ]
      : []),
    ...(tally.switches.length > 0
      ? [
          `What goes over midnight is split at midnight in ${context.options.timeZone}, and where the price changes; reports of the origin give all of it to the day, and the price, of its beginning. Next: expect other figures for such days`,
        ]
      : []),
    ...(inLedger > 0
      ? [
          `${inLedger} devices have energy on days on which no log names a switch of theirs. It is on a channel of its own, "Whole device". Next: nothing; reports by device and room count it`,
        ]
      : []),
    ...(has('users')
      ? [
          'Of passwords the bcrypt hashes were taken, and nothing that is in clear; one that was hashed twice lets nobody in. Next: let people reset a password that is refused',
        ]
      : []),
    ...(tally.adopted.kept > 0
      ? [
          `${tally.adopted.kept} documents of roles, permissions, schedules and settings have no place in the library yet, and are kept in adoption_extras. Next: let the host read them there`,
        ]
      : []),
    ...(tally.adopted.marketOrders + tally.adopted.marketTransactions > 0
      ? [
          'Trades and transactions are history, in a market area of their own: they move no account. Next: to begin with what people had there, book it with volt.market.transfer in the area that they trade in here',
        ]
      : []),
    ...(system === 'maestro'
      ? [
          'Devices without a MAC address cannot be adopted, nor what they have measured. Next: register them here with their addresses',
        ]
      : []),
  ]
}
