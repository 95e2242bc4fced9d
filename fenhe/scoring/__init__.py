"""What fenhe says, held against what was: pure functions over plain rows, and the SQL that fetches them."""
