"""What flows through aigym-db: frozen data, independent of files, servers and commands."""
