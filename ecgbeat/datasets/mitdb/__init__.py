"""The MIT-BIH Arrhythmia Database."""
