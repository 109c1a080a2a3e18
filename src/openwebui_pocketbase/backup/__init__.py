"""One archive of everything that an Open WebUI keeps, as it was at one moment; and the way back.

An archive is a ZIP file: anybody can open it, PocketBase's own backup routes take it, and what was cut off has no
directory at its end and so is no archive. ``SHA256SUMS`` in it is what ``sha256sum --check`` reads.

================  ======================================================================
`.manifest`       what an archive says of itself
`.places`         where the parts are on this machine
`.moment`         opening all databases at one moment
`.sqlite`         reading, copying and checking files of SQLite
`.snapshots`      a moment of PostgreSQL
`.postgresql`     dumping and replacing its tables by its own programs
`.links`          hard links to files that others may delete meanwhile
`.held`           all that is held for one archive
`.contents`       files that PocketBase's records lead to
`.names`          names of files, whatever is in them
`.archive`        writing and reading the ZIP file
`.partial`        directories of runs, also of those that were cut off
`.work`           who may run, and what is in the way
`.identity`       which site an archive is of
`.create`         making an archive
`.stores`         where archives are kept: a directory, or PocketBase's backups
`.prune`          removing old ones
`.verify`         opening everything that is in one
`.fits`           whether an archive fits what is installed
`.extract`        unpacking an archive beside what it replaces
`.relocate`       files in another data directory
`.vectors`        the vector store's folder
`.journal`        the steps of a restore, which a cut-off neither loses nor does twice
`.restore`        the restore
`.undo`           what it has kept aside, and the way back
`.server`         a PocketBase that is not on this disk
================  ======================================================================
"""
