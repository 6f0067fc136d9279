"""The data types of aigym-db, independent of files, servers and commands; most are frozen."""
