const commonHelp = `
  --storage WHERE     a folder, or s3://BUCKET/PREFIX (region and credentials as the AWS SDK finds them; AWS_ENDPOINT_URL
                      for a service that is not Amazon's)             [BACKUP_DIR, else ./backups]
  --db NAME           the database, unless the connection string names it
  --uri-file FILE     a file with the connection string               [MONGODB_URI]
                      It is no option of its own: every user of the machine sees those.
  --keys FILE         a file with the key ring, {"active": NAME, "keys": {NAME: BASE64}}   [AUTOVOLT_KEYS: the JSON itself]
  --signer-key FILE   a file with the key that signs the ledger, PRIVATE+KEY+...
  --key KEY           a verifier key of the ledger, or a file that holds it; several if it has changed
  --json              prints the result as JSON
`

export const backupHelp = `Usage: autovolt backup [--slice] [--storage WHERE] [options]

Backs up a database as it is at one moment, while it is in use; reads the backup back; and removes backups of this database
that are older, but never the last one that verifies.

  --storage -         writes one archive of mongodump to the standard output instead
  --slice             makes no backup, but stores what has happened since the last slice or the newest backup, so that
                      "autovolt restore --to" can bring back each second of it
  --collection NAME   only this collection; several
  --plain             does not compress
  --encrypt           encrypts under the active key of the key ring
  --keep-days N       keeps the backups of the last N days            [BACKUP_RETENTION_DAYS, else 30]
  --keep-all          removes nothing
${commonHelp}
Exit code: 0 made and verified, 1 it does not read back, 2 not made.
`

export const restoreHelp = `Usage: autovolt restore [WHICH] [--to INSTANT] (--into NAME | --drop | --merge HOW) [options]
       autovolt restore --list

Restores a backup. All of it is verified before anything is written. One that was interrupted goes on when it is run again.

  WHICH               latest, an id, or a day or instant (UTC): the newest whole backup of the database that is not younger
                      [latest]; one of another database by its id, unless a new database gets the only one that there is
  --to INSTANT        as the database was at the end of this second (UTC), such as 2026-11-02T10:00:00Z; an id as WHICH is then
                      the backup to begin with
  --list              shows what instants can be restored; needs no database
  --into NAME         into a database that has no collections yet
  --drop              in place: each collection takes the place of the one that is there; others stay, and are named
  --merge HOW         in place: documents are added by id, and those that are there: skip, replace, or fail
  --collection NAME   only this collection; several
  --rename OLD=NEW    another name for a collection; several
  --erase FILE        ids of ledger entries, one a line, whose personal data were erased since: they are erased again
  --erased-people FILE  people who were erased since, one a line, as JSON that volt.privacy.erased() gives: erased again
  --dry-run           verifies the backup and says what would be restored
${commonHelp}
Exit code: 0 restored and sound, 1 restored and the ledger or the roll-ups were damaged before, 2 not restored.
`

export const backupsHelp = `Usage: autovolt backups [--storage WHERE] [--import DUMP] [--reseal] [--prune [--dry-run] [--keep-days N ...]]

Lists the backups in a storage, and needs no database for it. With --prune it removes those of the database that no rule keeps;
never the newest that verifies.

  --import DUMP       first makes a backup of what mongodump has written, a folder or an archive; of several databases --db says which
  --reseal            seals the keys of encrypted backups and slices with the active key of the ring, and writes nothing else
  --keep-days N       those of the last N days                        [BACKUP_RETENTION_DAYS, else 30]
  --keep-last N       the newest N
  --keep-daily N, --keep-weekly N, --keep-monthly N, --keep-yearly N
                      the newest of each of the last N that have one
  --dry-run           says what would be removed, and why the others are kept
${commonHelp}
Exit code: 0 done, 1 a key could not be opened, 2 it could not be done.
`

export const verifyBackupHelp = `Usage: autovolt verify-backup [WHICH] [--storage WHERE] [--key KEY ...]

Reads every byte of a backup and compares it with the manifest; needs no database. With --key the manifest has to be signed.

  WHICH               latest, an id, or a day or instant (UTC)        [latest]
${commonHelp}
Exit code: 0 sound, 1 damaged, 2 could not tell.
`
