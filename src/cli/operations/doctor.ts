import { parseArgs } from 'node:util'
import { printable } from '../../core/printable.js'
import type { Finding } from '../../operations/doctor/diagnosis.js'
import { type CommandContext, exitCode } from '../command.js'
import { withHandle } from '../connection.js'

export function runDoctor(args: readonly string[], context: CommandContext): Promise<number> {
  return withHandle(args, context, {}, async (volt, rest) => {
    const { values } = parseArgs({
      args: [...rest],
      options: { all: { type: 'boolean', default: false }, json: { type: 'boolean' } },
    })
    const diagnosis = await volt.operations.doctor()
    const { isHealthy, findings } = diagnosis
    const text = values.json ? JSON.stringify(diagnosis, null, 2) : textOf(findings, values.all)
    context.out.write(`${printable(text)}\n`)
    return isHealthy ? exitCode.done : exitCode.wrong
  })
}

function textOf(findings: readonly Finding[], showsAll: boolean): string {
  const shown = showsAll ? findings : findings.filter(({ state }) => state === 'problem' || state === 'warning')
  const order = ['problem', 'warning', 'unknown', 'ok']
  const lines = shown
    .toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
    .map(
      ({ check, state, message, advice }) => `${state}  ${check}: ${message}.${advice === null ? '' : ` ${advice}.`}`,
    )
  const count = (state: Finding['state']) => findings.filter((finding) => finding.state === state).length
  const unknown = count('unknown')
  const summary = `${count('problem')} problems, ${count('warning')} warnings, ${count('ok')} checks are well${unknown > 0 ? `, ${unknown} could not be made` : ''}`
  return [...lines, summary].join('\n')
}
