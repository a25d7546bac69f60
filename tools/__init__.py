"""What `./dev` is made of: the standard library alone, since it runs before there is an environment."""
