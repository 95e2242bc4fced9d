"""The books, and what they count: what came in, what became of it, and whether it adds up."""
