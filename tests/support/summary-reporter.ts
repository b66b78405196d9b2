import type { Reporter, SerializedError, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node'

/**
 * Ends the output of a run with one line, `N passed, N failed`, and above it names each test that did not run and why.
 * A file that cannot be loaded, a hook that throws and an error outside of every test count as failed.
 */
export class SummaryReporter implements Reporter {
  private watching = false
  private summary = ''

  onInit(vitest: Vitest): void {
    this.watching = vitest.config.watch
    // The coverage table and the like come after the end of the run. Nothing comes after this.
    if (!this.watching) process.once('exit', () => process.stdout.write(this.summary))
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    this.summary = summarize(modules, unhandled.length)
    if (this.watching) process.stdout.write(this.summary)
  }
}

function summarize(modules: readonly TestModule[], unhandledErrors: number): string {
  const tests = modules.flatMap((module) => [...module.children.allTests()])
  const containers = modules.flatMap((module) => [module, ...module.children.allSuites()])
  const passed = tests.filter((test) => test.result().state === 'passed').length
  const failedTests = tests.filter((test) => test.result().state === 'failed').length
  const failed = failedTests + containers.filter(hasFailed).length + unhandledErrors
  const notRun = tests.filter((test) => test.result().state === 'skipped' || test.result().state === 'pending')
  const skips = notRun.map((test) => `skipped: ${test.module.relativeModuleId} > ${test.fullName} (${reasonOf(test)})`)
  return ['', ...skips, `${passed} passed, ${failed} failed`, ''].join('\n')
}

function hasFailed(container: TestModule | TestSuite): boolean {
  return container.errors().length > 0
}

function reasonOf(test: TestCase): string {
  const result = test.result()
  if (result.state === 'pending') return 'the run ended before it'
  if (result.state === 'skipped' && result.note !== undefined) return result.note
  if (hasFailed(test.module) || isInFailedSuite(test)) return 'what comes before it in its file failed'
  return 'no reason given'
}

function isInFailedSuite({ parent }: TestCase): boolean {
  for (let suite = parent; suite.type === 'suite'; suite = suite.parent) if (hasFailed(suite)) return true
  return false
}
