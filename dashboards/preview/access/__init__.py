"""Who may see the page, and what of it: accounts, signing in, and queries held to an account's sites."""
