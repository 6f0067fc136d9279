"""Reading SQL text: tokens, statements, parse trees, function bodies."""
