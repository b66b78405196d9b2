import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { GetObjectCommandOutput, ListMultipartUploadsCommandOutput, S3Client } from '@aws-sdk/client-s3'
import { DatabaseError } from '../../core/errors.js'
import { isRecord } from '../../core/is-record.js'
import { backupIdPattern, sliceFolder } from '../format/names.js'
import type { BackupStorage, StoredFile } from './storage.js'

/** Where and how an S3 service is reached. What is left out is found as the AWS SDK finds it: environment, profile, role. */
export interface S3StorageOptions {
  /** The bucket. */
  readonly bucket: string
  /** What the keys of all backups begin with, such as `school/`. @default nothing */
  readonly prefix?: string
  /** The region of the bucket. @default as the environment says */
  readonly region?: string
  /** The address of a service that is not Amazon's. */
  readonly endpoint?: string
  /** Names the bucket in the path and not in the host, as most other services want it. @default true with an `endpoint` */
  readonly forcePathStyle?: boolean
  /** Who asks. @default as the environment says */
  readonly credentials?: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }
  /**
   * Whether requests have a checksum that some services refuse; every file is compared with its SHA-256 in any case.
   * @default 'WHEN_REQUIRED'
   */
  readonly requestChecksumCalculation?: 'WHEN_SUPPORTED' | 'WHEN_REQUIRED'
  /**
   * Bytes of each part of an upload, at least 5 MiB. A file has at most 10,000 parts: with 16 MiB a collection can have 156 GiB,
   * compressed. Four parts are in memory.
   * @default 16 MiB
   */
  readonly partBytes?: number
}

const mebibyte = 1 << 20
const smallestPartBytes = 5 * mebibyte
const partsAtOnce = 2
const attemptsToRead = 5
const pauseMs = 200
const abandonedMs = 24 * 60 * 60_000

/**
 * Keeps backups in a bucket of S3, or of a service that speaks it. Needs the optional peers `@aws-sdk/client-s3` and
 * `@aws-sdk/lib-storage`, which are loaded when it is first used.
 * @throws DatabaseError `CONFIGURATION` for options that cannot be used.
 * @example
 * const storage = s3Storage({ bucket: 'school-backups', prefix: 'mongodb/', region: 'ap-south-1' })
 */
export function s3Storage(options: S3StorageOptions): BackupStorage {
  requireUsable(options)
  const { bucket, prefix = '', partBytes = 16 * mebibyte } = options
  const keyOf = (path: string) => ({ Bucket: bucket, Key: `${prefix}${path}` })
  let opened: Promise<Opened> | undefined
  const open = () => {
    opened ??= openS3(options)
    return opened
  }
  let isSwept = false
  const sweepOnce = async ({ client, sdk }: Opened) => {
    if (isSwept) return
    isSwept = true
    // It is a matter of money and not of the backup: a role may not have the right, and the service may be away. The write says so then.
    await removeAbandonedUploads(client, sdk, bucket, prefix).catch(() => undefined)
  }

  return {
    name: `s3://${bucket}/${prefix}`,
    async write(path, content) {
      const s3 = await open()
      const { client, Upload } = s3
      await sweepOnce(s3)
      const params = { ...keyOf(path), Body: Readable.from(content, { objectMode: false }) }
      // Where a part fails for good, lib-storage gives the upload up, and the service forgets the parts.
      const upload = new Upload({
        client,
        params,
        partSize: partBytes,
        queueSize: partsAtOnce,
        leavePartsOnError: false,
      })
      await upload.done()
    },
    async *read(path) {
      const { client, sdk } = await open()
      let [at, tag]: [number, string | undefined] = [0, undefined]
      for (let attempt = 1; ; attempt += 1) {
        try {
          const rest = at === 0 ? {} : { Range: `bytes=${at}-`, IfMatch: tag }
          const reply: GetObjectCommandOutput = await client.send(new sdk.GetObjectCommand({ ...keyOf(path), ...rest }))
          tag = reply.ETag
          for await (const chunk of reply.Body as Readable as AsyncIterable<Uint8Array>) {
            at += chunk.length
            attempt = 1
            yield chunk
          }
          return
        } catch (error) {
          if (attempt >= attemptsToRead || !isBroken(error)) throw error
          await sleep(pauseMs * attempt)
        }
      }
    },
    async *list(start) {
      const { client, sdk } = await open()
      const pages = sdk.paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: `${prefix}${start}` })
      for await (const { Contents = [] } of pages)
        for (const { Key = '', Size = 0, LastModified = new Date(0) } of Contents)
          yield { path: Key.slice(prefix.length), bytes: Size, modifiedAt: LastModified } satisfies StoredFile
    },
    async remove(path) {
      const { client, sdk } = await open()
      await client.send(new sdk.DeleteObjectCommand(keyOf(path)))
    },
  }
}

type Sdk = typeof import('@aws-sdk/client-s3')

interface Opened {
  readonly client: S3Client
  readonly sdk: Sdk
  readonly Upload: typeof import('@aws-sdk/lib-storage')['Upload']
}

function requireUsable(options: S3StorageOptions): void {
  if (!isRecord(options)) throw new DatabaseError('CONFIGURATION', 'The options of a bucket are an object')
  const { bucket, prefix = '', partBytes = smallestPartBytes } = options
  if (typeof bucket !== 'string' || bucket === '') throw new DatabaseError('CONFIGURATION', 'Name the bucket')
  if (typeof prefix !== 'string' || prefix.startsWith('/'))
    throw new DatabaseError('CONFIGURATION', 'The prefix is a text that does not begin with a slash')
  if (!Number.isInteger(partBytes) || partBytes < smallestPartBytes)
    throw new DatabaseError('CONFIGURATION', `partBytes is a whole number from ${smallestPartBytes} on`)
}

async function openS3(options: S3StorageOptions): Promise<Opened> {
  const { region, endpoint, credentials, forcePathStyle = endpoint !== undefined } = options
  const [sdk, { Upload }] = await loadSdk()
  const client = new sdk.S3Client({
    forcePathStyle,
    requestChecksumCalculation: options.requestChecksumCalculation ?? 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  })
  return { client, sdk, Upload }
}

async function loadSdk() {
  try {
    return await Promise.all([import('@aws-sdk/client-s3'), import('@aws-sdk/lib-storage')])
  } catch (cause) {
    throw new DatabaseError(
      'CONFIGURATION',
      'S3 needs two packages: npm install @aws-sdk/client-s3 @aws-sdk/lib-storage',
      { cause },
    )
  }
}

/** The parts of uploads that a killed process has left cost as much as files, and no listing shows them. */
async function removeAbandonedUploads(client: S3Client, sdk: Sdk, bucket: string, prefix: string): Promise<void> {
  const before = Date.now() - abandonedMs
  let page: ListMultipartUploadsCommandOutput | undefined
  do {
    const after = page === undefined ? {} : { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
    page = await client.send(new sdk.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...after }))
    for (const { Key = '', UploadId, Initiated } of page.Uploads ?? []) {
      const isOurs = isBackupFile(Key.slice(prefix.length))
      if (!isOurs || Initiated === undefined || Initiated.getTime() > before) continue
      await client.send(new sdk.AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }))
    }
  } while (page.IsTruncated === true)
}

function isBackupFile(path: string): boolean {
  const [folder = ''] = path.split('/')
  return backupIdPattern.test(folder) || folder === sliceFolder
}

/** Whether the connection broke; what the service has answered is its last word, and so is a file that changed meanwhile. */
function isBroken(error: unknown): boolean {
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode
  return status === undefined || status >= 500
}
