-- Writes one event whose text is long, as data.
copy aigym_db.event ({columns}) from stdin (format binary)
