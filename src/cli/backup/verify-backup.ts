import { parseArgs } from 'node:util'
import { verifyStoredBackup } from '../../backup/read/verify-stored-backup.js'
import { exitCode } from '../command.js'
import { keysOf } from '../connection.js'
import { guarded, oneOf, print } from './handle.js'
import { progressOn, showBytes } from './progress.js'
import { commonOptions, storageOf, verifierKeysOf } from './settings.js'

export const runVerifyBackup = guarded(async (args, context) => {
  const { values, positionals } = parseArgs({ args: [...args], options: commonOptions, allowPositionals: true })
  const progress = progressOn(context.errors)
  const keys = await keysOf(values.keys, context.env)
  const report = await verifyStoredBackup({
    storage: storageOf(values.storage, context.env),
    backup: oneOf(positionals),
    verifierKeys: await verifierKeysOf(values),
    ...(keys === undefined ? {} : { keys }),
    ...(values.json ? {} : { onProgress: progress.onProgress }),
    signal: context.signal,
  }).finally(progress.end)
  print(context, values.json, report, [
    `${report.id}: ${report.valid ? 'sound' : 'damaged'}, ${report.documents} documents, ${showBytes(report.bytes)}`,
    ...report.findings.map(({ path, problem }) => `damaged: ${path}: ${problem}`),
    ...report.caveats.map((caveat) => `note: ${caveat}`),
  ])
  return report.valid ? exitCode.done : exitCode.wrong
})
