import { AutoVolt } from '@autovolt/data'
import { folderStorage } from '@autovolt/data/backup'
import { tellParent } from '../../support/parent.js'

const { MONGODB_URI: uri = '', DB_NAME: dbName = '', FOLDER: folder = '' } = process.env
const volt = await AutoVolt.open({ uri, dbName })
volt.backup.start({ every: '2s', storage: folderStorage(folder), keep: false })
tellParent({ type: 'started' })
