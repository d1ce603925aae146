"""A module for each way to the header; `ways()` makes what a program has and returns the calls: `authorization`, from memory
where the library keeps the token, and `request`, which gets another token."""
