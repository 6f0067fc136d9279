"""The rules, one module each; a new module is a new rule."""
