import type { Reporter, SerializedError, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node'

/**
 * Ends the output of a run with one line, `N passed, N failed`, and above it names what did not run, what failed and why.
 * A file that cannot be loaded, a hook that throws and an error outside of every test count as failed. A test that failed
 * and passed when it was tried again counts as passed, and is named with the reason of its failure: it is to be looked into.
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
    this.summary = summarize(modules, unhandled)
    if (this.watching) process.stdout.write(this.summary)
  }
}

function summarize(modules: readonly TestModule[], unhandled: readonly SerializedError[]): string {
  const tests = modules.flatMap((module) => [...module.children.allTests()])
  const failures = [
    ...modules.flatMap(failuresOf),
    ...unhandled.map((error) => `outside of the tests: ${reasonOf(error)}`),
  ]
  const passed = tests.filter((test) => test.result().state === 'passed').length
  return ['', ...modules.flatMap(skipsOf), ...modules.flatMap(secondTriesOf)]
    .concat(failures.map((failure) => `failed: ${failure}`))
    .concat(`${passed} passed, ${failures.length} failed`, '')
    .join('\n')
}

/** The tests that failed, and what failed that is no test: the loading of the file, a hook. */
function failuresOf(module: TestModule): string[] {
  const named = (error: SerializedError, name = '') =>
    `${module.relativeModuleId}${name && ` > ${name}`}: ${reasonOf(error)}`
  const suites = [...module.children.allSuites()]
    .filter(hasFailed)
    .map((suite) => named(suite.errors()[0]!, suite.fullName))
  const tests = [...module.children.allTests('failed')].map((test) => named(test.result().errors![0]!, test.fullName))
  return [...(hasFailed(module) ? [named(module.errors()[0]!)] : []), ...suites, ...tests]
}

/** The tests that failed at first and passed when they were tried again, and why they failed. */
function secondTriesOf(module: TestModule): string[] {
  const flaky = [...module.children.allTests('passed')].filter((test) => test.diagnostic()?.flaky === true)
  return flaky.map((test) => {
    const [error] = test.result().errors ?? []
    return `passed when tried again: ${module.relativeModuleId} > ${test.fullName}: ${error ? reasonOf(error) : 'no reason kept'}`
  })
}

/** The tests that did not run and why: by name where that was asked for, counted where a failure came before them. */
function skipsOf(module: TestModule): string[] {
  const notRun = [...module.children.allTests()].filter((test) => ['skipped', 'pending'].includes(test.result().state))
  const behindFailure = notRun.filter((test) => noteOf(test) === undefined && isBehindFailure(test))
  const named = notRun
    .filter((test) => !behindFailure.includes(test))
    .map((test) => `${module.relativeModuleId} > ${test.fullName} (${noteOf(test) ?? 'no reason given'})`)
  const counted = `${module.relativeModuleId}: ${behindFailure.length} tests (what comes before them failed)`
  return [...named, ...(behindFailure.length > 0 ? [counted] : [])].map((skip) => `skipped: ${skip}`)
}

function noteOf(test: TestCase): string | undefined {
  const result = test.result()
  if (result.state === 'pending') return 'the run ended before it'
  return result.state === 'skipped' ? result.note : undefined
}

function isBehindFailure(test: TestCase): boolean {
  if (hasFailed(test.module)) return true
  for (let suite = test.parent; suite.type === 'suite'; suite = suite.parent) if (hasFailed(suite)) return true
  return false
}

function hasFailed(container: TestModule | TestSuite): boolean {
  return container.errors().length > 0
}

/** The first line of what an error says. */
function reasonOf({ message }: SerializedError): string {
  return message.split('\n', 1)[0]!
}
