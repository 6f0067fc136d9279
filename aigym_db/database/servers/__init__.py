"""PostgreSQL servers that the package starts.

`throwaway.throwaway()` runs a server for a `with` block and removes it at the end; `local.local(root)` is the
development server of a project, which keeps its data in `.aigym-db/` and keeps running.
"""
