"""Prints the tables of an SQLite database as JSON, as `sqlite3 -json` does table by table."""
import json
import sqlite3
import sys

database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
database.row_factory = sqlite3.Row
tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")]
print(json.dumps({table: [dict(row) for row in database.execute(f'select * from "{table}"')] for table in tables}))
