import { connectionHelp } from '../connection.js'

export const doctorHelp = `Usage: autovolt doctor [options]

Looks at version, replica set, write concern, access control, drift of validators and indexes, ledger and anchors, work that is
behind, quarantine, backups, TTL, clocks and disk. It changes nothing, but for a profiler that a process which is gone has left
on. Its time does not grow with the data.

  --all               shows also what is well
  --json              prints the result as JSON
${connectionHelp}
Exit code: 0 all is well, 1 something is wrong or could be better, 2 it could not be looked at. Good for a cron job.
`

export const statsHelp = `Usage: autovolt stats [options]

Shows connections, memory and operations of the server, the members of the replica set with their lag, and the size of each
collection with its growth since the last look on a day before. What the role does not allow is named.

  --json              prints the result as JSON
${connectionHelp}
Exit code: 0 done, 2 it could not be done.
`

export const slowHelp = `Usage: autovolt slow [--for SECONDS] [--over MS] [--limit N] [options]
       autovolt slow --now [--over MS] [options]
       autovolt slow --kill ID [options]

Has the server record slow queries for a time and shows them by shape, those first that took the most time in all. Fields and
operators are shown, values never. The profiler is put back to what it was, also if this command is killed: by the next one.

  --for SECONDS       how long to look; 60 unless given. 0 shows what is recorded already
  --over MS           what is slow; 100 unless given, with --now 3000
  --limit N           how many shapes are shown; 20 unless given
  --now               shows what runs at this moment instead
  --kill ID           ends one operation, by the id that --now shows
  --json              prints the result as JSON
${connectionHelp}
Exit code: 0 done, 2 it could not be done.
`

export const indexesHelp = `Usage: autovolt indexes [--days N] [options]
       autovolt indexes --hide | --unhide | --drop COLLECTION INDEX [options]

Advises on indexes: which nothing uses on any member, which another one makes superfluous, which recorded queries miss (run
autovolt slow before), and whether all fit into the cache. Each with what speaks for it, and how to undo it. Hide an index first:
it is kept up meanwhile, and shown again in a moment. Drop it when nothing has missed it.

  --days N            how long an index must have been seen unused; 7 unless given
  --json              prints the result as JSON
${connectionHelp}
Exit code: 0 done, 1 there is advice, 2 it could not be done.
`

export const rolesHelp = `Usage: autovolt roles [--create | --script] [options]
       autovolt roles --user NAME --role ROLE [--password-file FILE] [options]
       autovolt roles --certificate SUBJECT --role ROLE [options]

Compares the roles of the server with those that the package defines: application, migration, backup, restore, metrics and auditor,
each for this database and no more than it needs. Connect as somebody with userAdminAnyDatabase. A host with entities of its own
calls volt.operations.roles instead, which knows their collections.

  --create            creates the roles, and makes those that differ as they are defined: again after each upgrade
  --script            prints a script for mongosh that does so, and changes nothing
  --user NAME         creates a user with a password that is printed once, alone on the standard output, and kept nowhere
  --certificate SUBJECT  creates a user that logs in with a certificate of this subject (RFC 2253) instead
  --role ROLE         what the user is for, such as application
  --password-file FILE   writes the password into a new file that only you may read, instead of printing it
  --json              prints the result as JSON
${connectionHelp}
Exit code: 0 done, 1 roles are not as they are defined, 2 it could not be done.
`
