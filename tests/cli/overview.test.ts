import { describe, expect, it } from 'vitest'
import { commands } from '../../src/cli/commands.js'
import { runAutovolt } from './support/run-command.js'

describe('autovolt', () => {
  it('prints an overview: asked for it it ends with 0, for what it does not know with 2', async () => {
    for (const [args, code] of [
      [[], 2],
      [['--help'], 0],
      [['ledger'], 2],
      [['ledger', 'erase'], 2],
    ] as const) {
      const ended = await runAutovolt(args)
      expect(ended.code).toBe(code)
      expect(code === 0 ? ended.out : ended.errors).toMatch(/^Usage: autovolt COMMAND/)
    }
  })

  it('names every command, each with a page of its own', async () => {
    const overview = (await runAutovolt(['--help'])).out
    for (const { name, summary, help } of commands) {
      expect(overview).toContain(`${name} `)
      expect(overview).toContain(summary)
      expect(help).toMatch(new RegExp(`^Usage: autovolt ${name}\\b`))
      expect(help).toMatch(/Exit code: 0 .*\.\n$/)
    }
  })

  it('explains a command without a database', async () => {
    const { code, out } = await runAutovolt(['migrate', 'rollback', '--help'])
    expect(code).toBe(0)
    expect(out).toMatch(/^Usage: autovolt migrate rollback \[--steps N \| --to ID\] --yes/)
  })
})
