-- Insert one event with a long text, by COPY.
copy aigym_db.event ({columns}) from stdin (format binary)
