"""What flows through aigym-db: plain, frozen data that knows nothing of files, servers or commands."""
