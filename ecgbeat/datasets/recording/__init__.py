"""One recording from a file of any format."""
