import { afterAll, onTestFinished, TestRunner } from 'vitest'

type CleanUp = () => Promise<void>

const forTheFile: CleanUp[] = []

/** Runs the function when the test ends in which it is called, however it ends; outside of a test, when the file ends. */
export function cleanUpLater(cleanUp: CleanUp): void {
  if (TestRunner.getCurrentTest() === undefined) forTheFile.push(cleanUp)
  else onTestFinished(cleanUp)
}

/** Called once in each test file, by the set-up file. */
export function cleanUpAfterFile(): void {
  afterAll(async () => {
    for (const cleanUp of forTheFile.splice(0).reverse()) await cleanUp()
  })
}
