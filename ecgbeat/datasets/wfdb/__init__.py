"""Records in WFDB format."""
